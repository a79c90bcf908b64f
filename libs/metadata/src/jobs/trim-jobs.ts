import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

const BATCH = 500;
/** For so long a job that ended stays, whatever is kept: longer than any pause of somebody who waits for its end. */
const SEEN_MS = 60_000;

/**
 * Removes jobs that ended long ago or are not among the newest, in one batch, and workers that died a day ago. Scheduled jobs,
 * of which there may be many, do not push out what somebody asked for, and whoever waits for a job sees its end.
 */
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
      WITH ended AS (
        SELECT id, finished_at, row_number() OVER (PARTITION BY is_scheduled ORDER BY finished_at DESC, id DESC) AS place
        FROM job WHERE finished_at IS NOT NULL),
      old AS (
        SELECT job.id FROM job JOIN ended ON ended.id = job.id
        WHERE ended.finished_at < now() - ${SEEN_MS} * interval '1 millisecond'
          AND (ended.place > $1 OR ended.finished_at < now() - $2 * interval '1 millisecond')
        ORDER BY ended.finished_at LIMIT ${BATCH} FOR UPDATE OF job SKIP LOCKED),
      lines AS (DELETE FROM job_log l USING old o WHERE l.job_id = o.id)
      DELETE FROM job j USING old o WHERE j.id = o.id RETURNING j.id`,
    values: [count, ageMs],
  });
  return rows.length;
}
