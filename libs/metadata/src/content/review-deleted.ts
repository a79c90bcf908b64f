import type { Queryable } from '../database/unit-of-work.js';

/**
 * Makes reviews due of deleted manifests whose undo is over by the setting of now, and which nothing lists: an index that was
 * deleted too goes first. One whose review failed waits for its next attempt.
 */
export async function reviewDeleted(tx: Queryable, undoMs: number, limit: number): Promise<number> {
  const { rowCount } = await tx.query({
    name: 'review-deleted',
    text: `
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'undo is over', now() FROM manifest m JOIN repository r ON r.id = m.repository_id
      WHERE m.deleted_at <= now() - $1 * interval '1 millisecond' AND r.deleted_at IS NULL
        AND NOT EXISTS (SELECT FROM manifest_child c WHERE c.child_id = m.id)
        AND NOT EXISTS (
          SELECT FROM sparse_reference s
          WHERE s.repository_id = m.repository_id AND s.digest = m.digest AND s.kind = 'manifest')
        AND NOT EXISTS (
          SELECT FROM manifest_review t WHERE t.manifest_id = m.id AND (t.due_at <= now() OR t.attempts > 0))
      ORDER BY m.deleted_at LIMIT $2 FOR KEY SHARE OF m SKIP LOCKED
      ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
    values: [undoMs, limit],
  });
  return rowCount ?? 0;
}
