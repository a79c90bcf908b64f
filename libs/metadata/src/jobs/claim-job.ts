import type { Capacity, ClaimedJob } from '@entrepot/jobs';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';
import { JOB_COLUMNS, toJob, type JobRow } from './job-rows.js';

interface Claiming {
  readonly workerId: string;
  readonly kinds: readonly string[];
  readonly free: Capacity;
}

type ClaimedRow = JobRow & {
  readonly fence: string;
  readonly state: unknown;
  readonly elapsed_ms: number;
  readonly last_line: number;
};

/**
 * Takes the job that has been due for longest among those which fit. Not repeated where the answer was lost: the job is then a
 * claim of nobody's, and given back once its sign of life has expired.
 */
export async function claimJob(pool: pg.Pool, { workerId, kinds, free }: Claiming): Promise<ClaimedJob | undefined> {
  const [row] = await queryRows<ClaimedRow>(pool, {
    name: 'claim-job',
    text: `
      WITH due AS (
        SELECT id FROM job
        WHERE status = 'waiting' AND scheduled_at <= now() AND kind = ANY ($2)
          AND NOT EXISTS (
            SELECT FROM jsonb_each_text(capacity) AS need (unit, amount)
            WHERE need.amount::int > coalesce(($3::jsonb ->> need.unit)::int, 0))
        ORDER BY scheduled_at, id LIMIT 1 FOR UPDATE SKIP LOCKED)
      UPDATE job SET status = 'running', worker_id = $1, fence = fence + 1, heartbeat_at = now(),
        started_at = coalesce(started_at, now()), last_updated = now()
      FROM due WHERE job.id = due.id
      RETURNING ${JOB_COLUMNS}, job.fence, job.state,
        (extract(epoch FROM now() - job.started_at) * 1000)::float8 AS elapsed_ms,
        (SELECT coalesce(max(line_number), 0) FROM job_log WHERE job_id = job.id) AS last_line`,
    values: [workerId, kinds, free],
  });
  if (row === undefined) return undefined;
  return {
    id: row.id,
    fence: row.fence,
    job: toJob(row),
    state: row.state ?? undefined,
    elapsedMs: row.elapsed_ms,
    lastLine: row.last_line,
  };
}
