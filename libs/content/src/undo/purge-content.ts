import { RegistryError, type Digest, type Tag } from '@entrepot/oci';
import type { KeptManifest } from '../ports/undo-statements.js';
import type { ContentTransaction } from '../ports/unit-of-work.js';
import { listedByIndex } from '../removal/listed-by-index.js';
import { collected } from './restore-manifest.js';
import { recordChange, type UndoRoom } from './undo-room.js';

export interface Purged {
  /** Manifests that are gone for good. */
  readonly digests: readonly Digest[];
}

/** What was purged within one transaction; the counts are of what readers could find until then. */
interface Tally {
  readonly digests: Digest[];
  readonly tags: Tag[];
  manifests: number;
  sizeBytes: number;
}

/**
 * Removes a manifest for good, deleted before or not, with its tags and its payload; of an index every entry with it that
 * nothing else needs (`UndoStatements.isNeeded`). Neither undo nor grace is waited for: the next review removes the bytes.
 * Rejects with MANIFEST_UNKNOWN where it is gone, and with UNSUPPORTED where an index lists it, deleted or not.
 */
export async function purgeManifest(room: UndoRoom, digest: Digest): Promise<Purged> {
  return room.work.run(async (tx) => {
    await tx.holdRepository(room.repositoryId);
    const kept = await tx.undo.lockKept(room.repositoryId, digest);
    if (!kept) throw collected(digest);
    await refuseIfListed(tx, kept.id);
    const tally = newTally();
    await purge(tx, room, { digest, kept, tally });
    await recordPurge(tx, room, { kind: 'manifest.purged', tally, detail: { tags: tally.tags } });
    return { digests: tally.digests };
  });
}

/**
 * Removes a tag, deleted before or not, and forgets what it meant, so that nothing is held for it; the manifest that it meant
 * last goes for good with it unless something else needs that: what another tag can be restored to is not taken from it.
 * Rejects with MANIFEST_UNKNOWN where there never was such a tag.
 */
export async function purgeTag(room: UndoRoom, tag: Tag): Promise<Purged> {
  const { repositoryId, actor, graceMs } = room;
  return room.work.run(async (tx) => {
    await tx.holdRepository(repositoryId);
    await tx.lockTags(repositoryId, [tag]);
    await tx.removeTag(repositoryId, tag, actor, graceMs);
    const last = await tx.undo.valueBefore(repositoryId, tag);
    if (!last) throw new RegistryError('MANIFEST_UNKNOWN', { message: `there is no tag ${tag}`, detail: { tag } });
    await tx.undo.forgetTag(repositoryId, tag);
    const tally = newTally();
    if (last.digest) await purgeUnlessNeeded(tx, room, { digest: last.digest, tally });
    await recordPurge(tx, room, { kind: 'tag.purged', tally, detail: { tag, digest: last.digest } });
    return { digests: tally.digests };
  });
}

const newTally = (): Tally => ({ digests: [], tags: [], manifests: 0, sizeBytes: 0 });

/** The lock comes first: whoever makes a reference meanwhile waits for it, or has made it. */
async function purgeUnlessNeeded(
  tx: ContentTransaction,
  room: UndoRoom,
  { digest, tally }: { readonly digest: Digest; readonly tally: Tally },
): Promise<void> {
  const kept = await tx.undo.lockKept(room.repositoryId, digest);
  if (kept && !(await tx.undo.isNeeded(kept.id, room.undoMs))) await purge(tx, room, { digest, kept, tally });
}

/** The manifest is locked, and no index lists it. */
async function purge(
  tx: ContentTransaction,
  room: UndoRoom,
  { digest, kept, tally }: { readonly digest: Digest; readonly kept: KeptManifest; readonly tally: Tally },
): Promise<void> {
  const { repositoryId, actor, graceMs } = room;
  if (!kept.isDeleted) {
    tally.tags.push(...(await tx.removeTagsOf(repositoryId, kept.id, actor)));
    tally.sizeBytes += kept.sizeBytes + (await tx.deleteManifest(kept.id, actor, graceMs));
    tally.manifests += 1;
  }
  const entries = await tx.undo.entriesOf(kept.id);
  await tx.purgeManifest(kept.id);
  tally.digests.push(digest);
  for (const entry of entries) await purgeUnlessNeeded(tx, room, { digest: entry, tally });
}

async function refuseIfListed(tx: ContentTransaction, manifestId: string): Promise<void> {
  const live = await tx.parentsOf(manifestId);
  if (live.length > 0)
    throw listedByIndex('an index of this repository lists the manifest; purge the index first', live);
  const deleted = await tx.undo.deletedParentsOf(manifestId);
  if (deleted.length > 0) {
    throw listedByIndex('a deleted index, which could be restored, lists the manifest; purge the index first', deleted);
  }
}

async function recordPurge(
  tx: ContentTransaction,
  room: UndoRoom,
  { kind, tally, detail }: { kind: string; tally: Tally; detail: Record<string, unknown> },
): Promise<void> {
  const { digests, manifests, sizeBytes } = tally;
  await recordChange(tx, room, {
    kind,
    detail: { ...detail, digests },
    manifests: -manifests,
    sizeBytes: -sizeBytes,
  });
}
