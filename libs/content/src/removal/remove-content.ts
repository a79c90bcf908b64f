import { RegistryError, type Digest, type RepositoryName, type Tag } from '@entrepot/oci';
import type { Actor } from '../ports/content-reader.js';
import type { ContentTransaction, UnitOfWork } from '../ports/unit-of-work.js';
import { listedByIndex } from './listed-by-index.js';

/** Where something is removed, by whom. */
export interface Removal {
  readonly repositoryId: string;
  readonly repositoryName: RepositoryName;
  readonly actor: Actor;
  /** Time until garbage collection may look at what lost its reference. */
  readonly graceMs: number;
}

/** Removes a tag and nothing else (end-9 by tag). */
export async function deleteTag(work: UnitOfWork, removal: Removal, tag: Tag): Promise<void> {
  await work.run(async (tx) => {
    await tx.holdRepository(removal.repositoryId);
    await tx.lockTags(removal.repositoryId, [tag]);
    const removed = await tx.removeTag(removal.repositoryId, tag, removal.actor, removal.graceMs);
    if (!removed) throw new RegistryError('MANIFEST_UNKNOWN', { detail: { tag } });
    await recordRemoval(tx, removal, { kind: 'tag.deleted', detail: { tag, digest: removed.digest } });
  });
}

/**
 * Deletes a manifest and removes every tag that points at it (end-9 by digest); it can be restored for a time. An index
 * that lists it keeps it: the answer is then 405 UNSUPPORTED with the index named, for an index with a hole is worth nothing
 * to anyone.
 */
export async function deleteManifest(work: UnitOfWork, removal: Removal, digest: Digest): Promise<void> {
  const { repositoryId, actor, graceMs } = removal;
  await work.run(async (tx) => {
    await tx.holdRepository(repositoryId);
    const manifest = await tx.lockManifest(repositoryId, digest);
    if (!manifest) throw new RegistryError('MANIFEST_UNKNOWN', { detail: { digest } });
    const parents = await tx.parentsOf(manifest.id);
    if (parents.length > 0) {
      throw listedByIndex('an index of this repository lists the manifest; delete the index first', parents);
    }
    const tags = await tx.removeTagsOf(repositoryId, manifest.id, actor);
    const blobBytes = await tx.deleteManifest(manifest.id, actor, graceMs);
    const sizeBytes = -(manifest.sizeBytes + blobBytes);
    await recordRemoval(tx, removal, { kind: 'manifest.deleted', detail: { digest, tags }, manifests: -1, sizeBytes });
  });
}

/**
 * Removes the repository's link to a blob (end-10). Where a manifest still needs it the link goes with the last such
 * manifest; other repositories are not touched.
 */
export async function deleteBlob(work: UnitOfWork, removal: Removal, digest: Digest): Promise<void> {
  await work.run(async (tx) => {
    await tx.holdRepository(removal.repositoryId);
    const isKnown = await tx.unlinkBlob(removal.repositoryId, digest);
    if (!isKnown) throw new RegistryError('BLOB_UNKNOWN', { detail: { digest } });
    await recordRemoval(tx, removal, { kind: 'blob.deleted', detail: { digest } });
  });
}

async function recordRemoval(
  tx: ContentTransaction,
  { repositoryId, repositoryName, actor }: Removal,
  change: { kind: string; detail: Record<string, unknown>; manifests?: number; sizeBytes?: number },
): Promise<void> {
  await tx.record({ repositoryId, repositoryName, actor, manifests: 0, sizeBytes: 0, ...change });
}
