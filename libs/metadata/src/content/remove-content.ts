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
 * Removes a manifest that nothing points at any more for good, with its references. A referrer is reviewed when its
 * subject goes. Resolves with the bytes of the blobs that it named.
 */
export async function removeManifest(tx: Queryable, removal: ManifestRemoval): Promise<number> {
  const { manifestId, graceMs } = removal;
  const blobBytes = await removeReferences(tx, removal);
  const referrers = await referrersOf(tx, removal);
  const owned = [manifestId];
  await tx.query({ name: 'remove-review', text: 'DELETE FROM manifest_review WHERE manifest_id = $1', values: owned });
  await tx.query({ name: 'remove-manifest', text: 'DELETE FROM manifest WHERE id = $1', values: owned });
  if (referrers.length > 0) {
    await scheduleManifestReview(tx, { manifestIds: referrers, reason: 'manifest deleted', graceMs });
  }
  return blobBytes;
}

/**
 * Removes what a manifest refers to, and links whose deletion waited for that. What it named gets its review in the same
 * transaction. Resolves with the bytes of the blobs that it named.
 */
export async function removeReferences(tx: Queryable, removal: ManifestRemoval): Promise<number> {
  const { repositoryId, manifestId, graceMs } = removal;
  const blobs = await removeBlobReferences(tx, manifestId);
  const awaited = await removeSparseReferences(tx, manifestId);
  const children = await removeChildReferences(tx, manifestId);
  const named = [...blobs, ...awaited];
  const digests = await lockLinks(
    tx,
    repositoryId,
    named.map(({ digest }) => digest),
  );
  await removeReleasedLinks(tx, repositoryId, digests);
  if (digests.length > 0) await scheduleBlobReview(tx, { digests, reason: 'manifest deleted', graceMs });
  const manifestIds = [...children, ...awaited.flatMap(({ child_id: id }) => id ?? [])];
  if (manifestIds.length > 0) await scheduleManifestReview(tx, { manifestIds, reason: 'manifest deleted', graceMs });
  return named.reduce((sum, { size_bytes: sizeBytes }) => sum + Number(sizeBytes), 0);
}

/**
 * Hides a manifest from all readers. What it refers to stays as it is, and so is held as long as it can be restored; its
 * referrers have lost their subject. Resolves with the bytes of the blobs that it names.
 */
export async function deleteManifest(tx: Queryable, manifestId: string, deletedBy: string): Promise<number> {
  const { rows } = await tx.query<{ size_bytes: string }>({
    name: 'delete-manifest',
    text: `
      WITH hidden AS (
        UPDATE manifest SET deleted_at = now(), deleted_by = $2 WHERE id = $1 RETURNING repository_id, digest),
      referrer AS (
        SELECT r.id FROM hidden JOIN manifest r ON r.repository_id = hidden.repository_id AND r.subject_digest = hidden.digest
        WHERE r.id <> $1 ORDER BY r.id FOR KEY SHARE OF r),
      orphaned AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at, orphaned_at)
        SELECT id, 'subject deleted', now(), now() FROM referrer
        ON CONFLICT (manifest_id)
          DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at, orphaned_at = excluded.orphaned_at)
      SELECT sum(size_bytes) AS size_bytes FROM (
        SELECT 0 AS size_bytes
        UNION ALL SELECT size_bytes FROM manifest_blob WHERE manifest_id = $1
        UNION ALL SELECT size_bytes FROM sparse_reference WHERE manifest_id = $1 AND kind = 'blob') AS named`,
    values: [manifestId, deletedBy],
  });
  return Number(rows[0]?.size_bytes ?? 0);
}

interface NamedBlob {
  readonly digest: Buffer;
  readonly size_bytes: string;
}

async function removeBlobReferences(tx: Queryable, manifestId: string): Promise<NamedBlob[]> {
  const { rows } = await tx.query<NamedBlob>({
    name: 'remove-manifest-blobs',
    text: 'DELETE FROM manifest_blob WHERE manifest_id = $1 RETURNING digest, size_bytes',
    values: [manifestId],
  });
  return rows;
}

/** What came while the manifest was pushed may be in the repository all the same, as a child or as a blob. */
async function removeSparseReferences(
  tx: Queryable,
  manifestId: string,
): Promise<(NamedBlob & { readonly child_id: string | null })[]> {
  const { rows } = await tx.query<NamedBlob & { readonly child_id: string | null }>({
    name: 'remove-sparse-references',
    text: `
      WITH gone AS (DELETE FROM sparse_reference WHERE manifest_id = $1 RETURNING repository_id, digest, kind, size_bytes)
      SELECT gone.digest, CASE gone.kind WHEN 'blob' THEN gone.size_bytes ELSE 0 END AS size_bytes, m.id AS child_id
      FROM gone LEFT JOIN manifest m ON m.repository_id = gone.repository_id AND m.digest = gone.digest`,
    values: [manifestId],
  });
  return rows;
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

/**
 * Locks those of the blobs that the repository holds, and resolves with them. Whoever then looks for manifests that need
 * them sees every one: a push holds the link by its foreign key, a deletion by this lock, until its transaction ends.
 */
async function lockLinks(tx: Queryable, repositoryId: string, digests: readonly Buffer[]): Promise<Buffer[]> {
  const { rows } = await tx.query<{ digest: Buffer }>({
    name: 'lock-links',
    text: `
      SELECT digest FROM repository_blob WHERE repository_id = $1 AND digest = ANY ($2::bytea[])
      ORDER BY digest FOR UPDATE`,
    values: [repositoryId, digests],
  });
  return rows.map((row) => row.digest);
}

/** The links are locked. A sparse reference counts as one that was resolved: its blob may have come during the push. */
async function removeReleasedLinks(tx: Queryable, repositoryId: string, digests: readonly Buffer[]): Promise<void> {
  await tx.query({
    name: 'remove-released-links',
    text: `
      DELETE FROM repository_blob l
      WHERE l.repository_id = $1 AND l.digest = ANY ($2::bytea[]) AND l.released_at IS NOT NULL
        AND NOT EXISTS (SELECT FROM manifest_blob b WHERE b.repository_id = l.repository_id AND b.digest = l.digest)
        AND NOT EXISTS (SELECT FROM sparse_reference s WHERE s.repository_id = l.repository_id AND s.digest = l.digest)`,
    values: [repositoryId, digests],
  });
}

export interface BlobUnlink {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly graceMs: number;
}

/** The lock comes first: a manifest that is being pushed with this blob is seen, or fails on its foreign key. */
export async function unlinkBlob(tx: Queryable, { repositoryId, digest, graceMs }: BlobUnlink): Promise<boolean> {
  const digests = await lockLinks(tx, repositoryId, [digestBytes(digest)]);
  if (digests.length === 0) return false;
  await tx.query({
    name: 'release-links',
    text: 'UPDATE repository_blob SET released_at = now() WHERE repository_id = $1 AND digest = ANY ($2::bytea[])',
    values: [repositoryId, digests],
  });
  await removeReleasedLinks(tx, repositoryId, digests);
  await scheduleBlobReview(tx, { digests, reason: 'link deleted', graceMs });
  return true;
}
