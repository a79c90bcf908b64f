import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

/**
 * Takes at most `limit` marks, and keeps the latest of each manifest. The manifest is held
 * meanwhile, for what is known of one that was removed would stay for ever; a mark of such a one is dropped.
 */
export async function foldManifestUses(pool: pg.Pool, limit: number): Promise<number> {
  const [row] = await queryRows<{ folded: number }>(pool, {
    name: 'fold-manifest-uses',
    text: `
      WITH taken AS (
        DELETE FROM manifest_use_mark
        WHERE ctid = ANY (ARRAY (SELECT ctid FROM manifest_use_mark LIMIT $1))
        RETURNING manifest_id, used_at),
      latest AS (SELECT manifest_id, max(used_at) AS used_at FROM taken GROUP BY manifest_id),
      held AS (
        SELECT m.id FROM manifest m WHERE m.id = ANY (ARRAY (SELECT manifest_id FROM latest)) ORDER BY m.id FOR KEY SHARE),
      kept AS (
        INSERT INTO manifest_use (manifest_id, used_at)
        SELECT manifest_id, used_at FROM latest JOIN held ON held.id = manifest_id ORDER BY manifest_id
        ON CONFLICT (manifest_id) DO UPDATE SET used_at = greatest(manifest_use.used_at, excluded.used_at))
      SELECT count(*)::integer AS folded FROM taken`,
    values: [limit],
  });
  return row?.folded ?? 0;
}
