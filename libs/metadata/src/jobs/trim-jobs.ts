import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

const BATCH = 500;

/** Removes jobs that ended long ago or are not among the newest, in one batch, and workers that died a day ago. */
export async function trimJobs(
  pool: pg.Pool,
  { count, ageMs }: { readonly count: number; readonly ageMs: number },
): Promise<number> {
  await queryRows(pool, {
    name: 'trim-workers',
    text: `DELETE FROM worker WHERE heartbeat_at < now() - interval '1 day'`,
    values: [],
  });
  const rows = await queryRows(pool, {
    name: 'trim-jobs',
    text: `
      WITH last_kept AS (
        SELECT finished_at, id FROM job WHERE finished_at IS NOT NULL ORDER BY finished_at DESC, id DESC OFFSET $1 LIMIT 1),
      old AS (
        SELECT id FROM job
        WHERE finished_at IS NOT NULL AND (finished_at < now() - $2 * interval '1 millisecond'
          OR (finished_at, id) <= (SELECT finished_at, id FROM last_kept))
        ORDER BY finished_at LIMIT ${BATCH} FOR UPDATE SKIP LOCKED),
      lines AS (DELETE FROM job_log l USING old o WHERE l.job_id = o.id)
      DELETE FROM job j USING old o WHERE j.id = o.id RETURNING j.id`,
    values: [count, ageMs],
  });
  return rows.length;
}
