import type { Digest } from '@entrepot/oci';
import { digestBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';
import { promisedUntil } from './schedule-review.js';
import { removeManifests, removeReferences, type ManifestsRemoval } from './remove-manifests.js';

export interface ManifestRemoval extends Omit<ManifestsRemoval, 'ids'> {
  readonly manifestId: string;
}

/**
 * Removes a manifest for good that nothing points at any more, with its references. Resolves with the bytes of the blobs that
 * it named.
 */
export async function removeManifest(tx: Queryable, { manifestId, ...removal }: ManifestRemoval): Promise<number> {
  const ids = [manifestId];
  const blobBytes = await removeReferences(tx, { ids, ...removal });
  await removeManifests(tx, { ids, ...removal });
  return blobBytes;
}

export interface ManifestDeletion {
  readonly manifestId: string;
  readonly deletedBy: string;
  readonly graceMs: number;
}

/**
 * Hides a manifest from all readers. What it refers to stays as it is, and so is held as long as it can be restored; its
 * referrers have lost their subject. Blobs that were deleted before it are served no longer, but promised to whoever saw them until
 * now: the lock shows a deletion that is under way. Resolves with the bytes of the blobs that it names.
 */
export async function deleteManifest(
  tx: Queryable,
  { manifestId, deletedBy, graceMs }: ManifestDeletion,
): Promise<number> {
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
          DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at, orphaned_at = excluded.orphaned_at),
      link AS (
        SELECT l.repository_id, l.digest, l.released_at FROM repository_blob l JOIN (
          SELECT repository_id, digest FROM manifest_blob WHERE manifest_id = $1
          UNION SELECT repository_id, digest FROM sparse_reference WHERE manifest_id = $1) AS named
          USING (repository_id, digest)
        ORDER BY l.digest FOR KEY SHARE OF l),
      promised AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT repository_id, digest, 'manifest deleted', ${promisedUntil('$3')} FROM link WHERE released_at IS NOT NULL
        ON CONFLICT (repository_id, digest) DO UPDATE
          SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at))
      SELECT sum(size_bytes) AS size_bytes FROM (
        SELECT 0 AS size_bytes
        UNION ALL SELECT size_bytes FROM manifest_blob WHERE manifest_id = $1
        UNION ALL SELECT size_bytes FROM sparse_reference WHERE manifest_id = $1 AND kind = 'blob') AS named`,
    values: [manifestId, deletedBy, graceMs],
  });
  return Number(rows[0]?.size_bytes ?? 0);
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

/**
 * The lock comes first: a manifest that is being pushed with this blob is seen, or fails on its foreign key. What was promised ends:
 * it was asked for.
 */
export async function unlinkBlob(
  tx: Queryable,
  { repositoryId, digest }: { readonly repositoryId: string; readonly digest: Digest },
): Promise<boolean> {
  const digests = await lockLinks(tx, repositoryId, [digestBytes(digest)]);
  if (digests.length === 0) return false;
  await tx.query({
    name: 'release-links',
    text: 'UPDATE repository_blob SET released_at = now() WHERE repository_id = $1 AND digest = ANY ($2::bytea[])',
    values: [repositoryId, digests],
  });
  await removeReleasedLinks(tx, repositoryId, digests);
  return true;
}

/**
 * The links are locked. One that a manifest needs is reviewed when the manifest goes. A sparse reference counts as one that was
 * resolved: its blob may have come during the push.
 */
async function removeReleasedLinks(tx: Queryable, repositoryId: string, digests: readonly Buffer[]): Promise<void> {
  await tx.query({
    name: 'remove-released-links',
    text: `
      WITH gone AS (
        DELETE FROM repository_blob l
        WHERE l.repository_id = $1 AND l.digest = ANY ($2::bytea[])
          AND NOT EXISTS (SELECT FROM manifest_blob b WHERE b.repository_id = l.repository_id AND b.digest = l.digest)
          AND NOT EXISTS (SELECT FROM sparse_reference s WHERE s.repository_id = l.repository_id AND s.digest = l.digest)
        RETURNING l.repository_id, l.digest),
      task AS (
        DELETE FROM link_review WHERE repository_id = $1 AND digest = ANY ($2))
      INSERT INTO blob_review (digest, reason, due_at) SELECT digest, 'unlinked', now() FROM gone ORDER BY digest
      ON CONFLICT (digest) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
    values: [repositoryId, digests],
  });
}
