import type { DeletionPlace } from '@entrepot/content';
import type { Queryable } from '../database/unit-of-work.js';

export interface DeletedPage {
  readonly undoMs: number;
  readonly limit: number;
  readonly after: DeletionPlace | undefined;
}

const FIRST: DeletionPlace = { deletedAt: '-infinity', id: '0' };

/**
 * Makes reviews due of deleted manifests whose undo is over by the setting of now, and which nothing lists: an index that was
 * deleted too goes first. One whose review failed waits for its next attempt. What is locked is passed over, be it the
 * manifest or its task. A page is as long whatever is on it, and begins where the last one ended.
 */
export async function reviewDeleted(
  tx: Queryable,
  { undoMs, limit, after = FIRST }: DeletedPage,
): Promise<{ readonly made: number; readonly last: DeletionPlace | undefined }> {
  const { rows } = await tx.query<{ made: number; deleted_at: string | null; id: string | null }>({
    name: 'review-deleted',
    text: `
      WITH page AS MATERIALIZED (
        SELECT id, deleted_at FROM manifest
        WHERE deleted_at <= now() - $1 * interval '1 millisecond' AND (deleted_at, id) > ($3::timestamptz, $4::bigint)
        ORDER BY deleted_at, id LIMIT $2),
      due AS MATERIALIZED (
        SELECT m.id FROM manifest m JOIN repository r ON r.id = m.repository_id
        WHERE m.id IN (SELECT id FROM page) AND m.deleted_at IS NOT NULL AND r.deleted_at IS NULL
          AND NOT EXISTS (SELECT FROM manifest_child c WHERE c.child_id = m.id)
          AND NOT EXISTS (
            SELECT FROM sparse_reference s
            WHERE s.repository_id = m.repository_id AND s.digest = m.digest AND s.kind = 'manifest')
          AND NOT EXISTS (
            SELECT FROM manifest_review t WHERE t.manifest_id = m.id AND (t.due_at <= now() OR t.attempts > 0))
        FOR NO KEY UPDATE OF m SKIP LOCKED),
      waiting AS MATERIALIZED (
        SELECT manifest_id FROM manifest_review WHERE manifest_id IN (SELECT id FROM due) FOR UPDATE SKIP LOCKED),
      brought AS (
        UPDATE manifest_review t SET reason = 'undo is over', due_at = now() FROM waiting w
        WHERE t.manifest_id = w.manifest_id RETURNING t.manifest_id),
      made AS (
        INSERT INTO manifest_review (manifest_id, reason, due_at)
        SELECT id, 'undo is over', now() FROM due
        WHERE NOT EXISTS (SELECT FROM manifest_review t WHERE t.manifest_id = due.id) ORDER BY id
        ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at
        RETURNING manifest_id)
      SELECT (SELECT count(*) FROM brought)::int + (SELECT count(*) FROM made)::int AS made, p.deleted_at::text, p.id
      FROM (VALUES (1)) AS one LEFT JOIN (
        SELECT deleted_at, id FROM page ORDER BY deleted_at, id OFFSET $2 - 1) AS p ON true`,
    values: [undoMs, limit, after.deletedAt, after.id],
  });
  const [page] = rows;
  const last = page?.id && page.deleted_at ? { deletedAt: page.deleted_at, id: page.id } : undefined;
  return { made: page?.made ?? 0, last };
}
