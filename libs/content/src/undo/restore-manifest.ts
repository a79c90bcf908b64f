import { RegistryError, type Digest } from '@entrepot/oci';
import { recordChange, requireUndo, totalBytes, type Restored, type UndoRoom } from './undo-room.js';

/**
 * Gives a deleted manifest back, and of an index every entry with it. No tag comes back: their history says what they were.
 * Rejects with MANIFEST_UNKNOWN where it was never there or was collected, and with UNSUPPORTED where it is not deleted.
 */
export async function restoreManifest(room: UndoRoom, digest: Digest): Promise<Restored> {
  requireUndo(room);
  const { repositoryId, repositoryName, graceMs } = room;
  return room.work.run(async (tx) => {
    await tx.holdRepository(repositoryId);
    const kept = await tx.undo.lockKept(repositoryId, digest);
    if (!kept) throw collected(digest);
    if (!kept.isDeleted) {
      throw new RegistryError('UNSUPPORTED', { message: `${repositoryName}@${digest} is not deleted` });
    }
    const manifests = await tx.undo.restore(repositoryId, kept.id, graceMs);
    await recordChange(tx, room, {
      kind: 'manifest.restored',
      detail: { digest, manifests: manifests.map((one) => one.digest) },
      manifests: manifests.length,
      sizeBytes: totalBytes(manifests),
    });
    return { manifests };
  });
}

/** Collected, purged, or never there: of what is gone for good nothing is known. */
export function collected(digest: Digest): RegistryError {
  return new RegistryError('MANIFEST_UNKNOWN', {
    message: `the repository does not hold ${digest}: it was collected, purged, or never there`,
    detail: { digest },
  });
}
