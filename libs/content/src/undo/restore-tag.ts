import { RegistryError, type Digest, type Tag } from '@entrepot/oci';
import type { KeptManifest } from '../ports/undo-statements.js';
import type { ContentTransaction } from '../ports/unit-of-work.js';
import { collected } from './restore-manifest.js';
import { recordChange, requireUndo, totalBytes, type Restored, type UndoRoom } from './undo-room.js';

/** What a tag goes back to: what it meant before its last change where neither is given. */
export interface TagGoal {
  readonly digest?: Digest;
  readonly at?: Date;
}

export interface RestoredTag extends Restored {
  readonly digest: Digest;
  /** False where the tag meant this already; then nothing was changed. */
  readonly isChanged: boolean;
}

/**
 * Points a tag at what it meant, and gives that manifest back where it was deleted, of an index every entry with it. The
 * change is one more in the tag's history. Rejects with TAG_INVALID where there is nothing to go back to, and with
 * MANIFEST_UNKNOWN where what the tag meant was collected.
 */
export async function restoreTag(room: UndoRoom, tag: Tag, goal: TagGoal = {}): Promise<RestoredTag> {
  requireUndo(room);
  const { repositoryId, actor, graceMs } = room;
  return room.work.run(async (tx) => {
    await tx.holdRepository(repositoryId);
    await tx.lockTags(repositoryId, [tag]);
    const digest = goal.digest ?? (await valueOf(tx, room, { tag, at: goal.at }));
    const kept = await lockWanted(tx, room, { tag, digest, isGiven: goal.digest !== undefined });
    const manifests = kept.isDeleted ? await tx.undo.restore(repositoryId, kept.id, graceMs) : [];
    const isChanged = await tx.moveTags({ repositoryId, tags: [tag], manifestId: kept.id, digest, actor, graceMs });
    if (isChanged) {
      await recordChange(tx, room, {
        kind: 'tag.restored',
        detail: { tag, digest, manifests: manifests.map((one) => one.digest) },
        manifests: manifests.length,
        sizeBytes: totalBytes(manifests),
      });
    }
    return { digest, manifests, isChanged };
  });
}

async function valueOf(
  tx: ContentTransaction,
  { repositoryId }: UndoRoom,
  { tag, at }: { readonly tag: Tag; readonly at: Date | undefined },
): Promise<Digest> {
  const value = at ? await tx.undo.valueAt(repositoryId, tag, at) : await tx.undo.valueBefore(repositoryId, tag);
  if (value?.digest) return value.digest;
  const when = at?.toISOString();
  if (!value)
    throw nothing(at ? `the history of the tag ${tag} begins after ${when}` : `the tag ${tag} has no history`);
  throw nothing(at ? `there was no tag ${tag} at ${when}` : `there was no tag ${tag} before its last change`);
}

function nothing(message: string): RegistryError {
  return new RegistryError('TAG_INVALID', { message: `${message}; there is nothing to go back to` });
}

/** A digest that is given must be one that the tag meant, or one that the repository serves. */
async function lockWanted(
  tx: ContentTransaction,
  { repositoryId }: UndoRoom,
  { tag, digest, isGiven }: { readonly tag: Tag; readonly digest: Digest; readonly isGiven: boolean },
): Promise<KeptManifest> {
  const kept = await tx.undo.lockKept(repositoryId, digest);
  const isForeign = isGiven && kept?.isDeleted !== false && !(await tx.undo.hadValue(repositoryId, tag, digest));
  if (isForeign) throw new RegistryError('TAG_INVALID', { message: `the tag ${tag} never meant ${digest}` });
  if (!kept) throw collected(digest);
  return kept;
}
