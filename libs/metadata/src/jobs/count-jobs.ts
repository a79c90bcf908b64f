import type { JobCounts } from '@entrepot/jobs';
import type pg from 'pg';
import { repeatRows } from '../database/unit-of-work.js';

/** What is not over yet, and how late it is; the partial indexes hold nothing else. */
export async function countJobs(pool: pg.Pool): Promise<JobCounts> {
  const [jobs, [lateness]] = await Promise.all([
    repeatRows<{ kind: string; status: string; count: number }>(pool, {
      name: 'count-jobs',
      text: `
        SELECT kind, status, count(*)::int AS count FROM job WHERE status = 'waiting' GROUP BY kind, status
        UNION ALL SELECT kind, status, count(*)::int FROM job WHERE status = 'running' GROUP BY kind, status`,
      values: [],
    }),
    repeatRows<{ oldest_ms: number; overdue: number }>(pool, {
      name: 'measure-lateness',
      text: `
        SELECT coalesce(extract(epoch FROM now() - min(scheduled_at)) * 1000, 0)::float8 AS oldest_ms,
          count(*) FILTER (WHERE scheduled_at < now() - interval '1 minute')::int AS overdue
        FROM job WHERE status = 'waiting' AND scheduled_at <= now()`,
      values: [],
    }),
  ]);
  return { jobs, oldestWaitingMs: lateness?.oldest_ms ?? 0, overdue: lateness?.overdue ?? 0 };
}
