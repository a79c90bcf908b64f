import type { Digest } from '@entrepot/oci';
import { digestBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';
import { scheduleBlobReview, scheduleManifestReview } from './schedule-review.js';

export interface ManifestRemoval {
  readonly repositoryId: string;
  readonly manifestId: string;
  readonly graceMs: number;
}

/**
 * Removes a manifest that nothing points at any more, its references, and links whose deletion waited for it. What it
 * named gets its review in the same transaction. A referrer is reviewed when its subject goes.
 */
export async function removeManifest(tx: Queryable, removal: ManifestRemoval): Promise<void> {
  const { repositoryId, manifestId, graceMs } = removal;
  const blobs = await removeBlobReferences(tx, manifestId);
  const children = await removeChildReferences(tx, manifestId);
  const referrers = await referrersOf(tx, removal);
  await tx.query({
    name: 'remove-manifest-leftovers',
    text: `
      WITH sparse AS (DELETE FROM sparse_reference WHERE manifest_id = $1)
      DELETE FROM manifest_review WHERE manifest_id = $1`,
    values: [manifestId],
  });
  await tx.query({ name: 'remove-manifest', text: 'DELETE FROM manifest WHERE id = $1', values: [manifestId] });
  await removeReleasedLinks(tx, repositoryId, blobs);
  if (blobs.length > 0) await scheduleBlobReview(tx, { digests: blobs, reason: 'manifest deleted', graceMs });
  const manifestIds = [...children, ...referrers];
  if (manifestIds.length > 0) await scheduleManifestReview(tx, { manifestIds, reason: 'manifest deleted', graceMs });
}

async function removeBlobReferences(tx: Queryable, manifestId: string): Promise<Buffer[]> {
  const { rows } = await tx.query<{ digest: Buffer }>({
    name: 'remove-manifest-blobs',
    text: 'DELETE FROM manifest_blob WHERE manifest_id = $1 RETURNING digest',
    values: [manifestId],
  });
  return rows.map((row) => row.digest);
}

async function removeChildReferences(tx: Queryable, manifestId: string): Promise<string[]> {
  const { rows } = await tx.query<{ child_id: string }>({
    name: 'remove-manifest-children',
    text: 'DELETE FROM manifest_child WHERE parent_id = $1 RETURNING child_id',
    values: [manifestId],
  });
  return rows.map((row) => row.child_id);
}

async function referrersOf(tx: Queryable, { repositoryId, manifestId }: ManifestRemoval): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'referrers-of',
    text: `
      SELECT r.id FROM manifest m JOIN manifest r ON r.repository_id = $1 AND r.subject_digest = m.digest
      WHERE m.id = $2 AND r.id <> $2`,
    values: [repositoryId, manifestId],
  });
  return rows.map((row) => row.id);
}

async function removeReleasedLinks(tx: Queryable, repositoryId: string, digests: readonly Buffer[]): Promise<void> {
  await tx.query({
    name: 'remove-released-links',
    text: `
      DELETE FROM repository_blob l
      WHERE l.repository_id = $1 AND l.digest = ANY ($2::bytea[]) AND l.released_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM manifest_blob b WHERE b.repository_id = l.repository_id AND b.digest = l.digest)`,
    values: [repositoryId, digests],
  });
}

export interface BlobUnlink {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly graceMs: number;
}

/** The row lock comes first: a manifest that is being pushed with this blob is seen, or fails on its foreign key. */
export async function unlinkBlob(tx: Queryable, { repositoryId, digest, graceMs }: BlobUnlink): Promise<boolean> {
  const bytes = digestBytes(digest);
  const locked = await tx.query({
    name: 'release-blob-link',
    text: 'UPDATE repository_blob SET released_at = now() WHERE repository_id = $1 AND digest = $2',
    values: [repositoryId, bytes],
  });
  if (locked.rowCount === 0) return false;
  await removeReleasedLinks(tx, repositoryId, [bytes]);
  await scheduleBlobReview(tx, { digests: [bytes], reason: 'link deleted', graceMs });
  return true;
}
