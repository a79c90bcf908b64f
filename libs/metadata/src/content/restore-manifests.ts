import type { RestoredManifest } from '@entrepot/content';
import { digestFromBytes } from '../database/digest-bytes.js';
import type { Queryable } from '../database/unit-of-work.js';

export interface ManifestRestoration {
  readonly repositoryId: string;
  /** Locked by the caller. */
  readonly manifestId: string;
  readonly graceMs: number;
}

/**
 * Gives a manifest back to its readers, with all that it lists. Its references were never removed, so that nothing of it is
 * gone; while its row is locked no collector takes an entry either. It counts as used now: one that was pushed long ago
 * would go again with the next look.
 */
export async function restoreManifests(tx: Queryable, restoration: ManifestRestoration): Promise<RestoredManifest[]> {
  const ids = await lockFamily(tx, restoration);
  const { rows } = await tx.query<{ digest: Buffer; size_bytes: string }>({
    name: 'restore-manifests',
    text: `
      WITH back AS (
        UPDATE manifest SET deleted_at = NULL, deleted_by = NULL
        WHERE id = ANY ($1::bigint[]) AND deleted_at IS NOT NULL
        RETURNING id, digest, octet_length(payload) AS payload_bytes),
      used AS (
        INSERT INTO manifest_use (manifest_id, used_at) SELECT id, now() FROM back ORDER BY id
        ON CONFLICT (manifest_id) DO UPDATE SET used_at = excluded.used_at),
      owed AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at, orphaned_at)
        SELECT id, 'restored', now() + $3 * interval '1 millisecond', now() FROM back ORDER BY id
        ON CONFLICT (manifest_id) DO UPDATE
          SET reason = excluded.reason, due_at = excluded.due_at, orphaned_at = excluded.orphaned_at, hold = NULL),
      awaited AS (
        DELETE FROM sparse_reference s USING back
        WHERE s.repository_id = $2 AND s.digest = back.digest AND s.kind = 'manifest'
        RETURNING s.manifest_id, s.digest, back.id AS child_id),
      unawaited AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT DISTINCT l.repository_id, l.digest, 'came as a manifest', now() + $3 * interval '1 millisecond'
        FROM awaited a JOIN repository_blob l ON l.repository_id = $2 AND l.digest = a.digest
        ORDER BY l.repository_id, l.digest
        ON CONFLICT (repository_id, digest) DO UPDATE SET due_at = greatest(link_review.due_at, excluded.due_at)),
      listed AS (
        INSERT INTO manifest_child (parent_id, child_id) SELECT manifest_id, child_id FROM awaited)
      SELECT digest, payload_bytes
        + coalesce((SELECT sum(size_bytes) FROM manifest_blob b WHERE b.manifest_id = back.id), 0)
        + coalesce((SELECT sum(size_bytes) FROM sparse_reference s WHERE s.manifest_id = back.id AND s.kind = 'blob'), 0)
        AS size_bytes
      FROM back ORDER BY id`,
    values: [ids, restoration.repositoryId, restoration.graceMs],
  });
  return rows.map((row) => ({ digest: digestFromBytes(row.digest), sizeBytes: Number(row.size_bytes) }));
}

/**
 * The manifest and whatever it lists, at any depth, locked against deletions: one that is under way is waited for and seen
 * by the next statement, a later one finds the index alive.
 */
async function lockFamily(tx: Queryable, { manifestId }: ManifestRestoration): Promise<string[]> {
  const { rows } = await tx.query<{ id: string }>({
    name: 'lock-family',
    text: `
      WITH RECURSIVE family AS (
        SELECT $1::bigint AS id
        UNION
        SELECT entry.id FROM family f CROSS JOIN LATERAL (
          SELECT child_id AS id FROM manifest_child WHERE parent_id = f.id
          UNION ALL
          SELECT m.id FROM sparse_reference s
          JOIN manifest m ON m.repository_id = s.repository_id AND m.digest = s.digest
          WHERE s.manifest_id = f.id AND s.kind = 'manifest') AS entry)
      SELECT m.id FROM manifest m WHERE m.id IN (SELECT id FROM family)
      ORDER BY m.id FOR UPDATE`,
    values: [manifestId],
  });
  return rows.map((row) => row.id);
}
