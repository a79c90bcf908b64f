import type { LostJob } from '@entrepot/jobs';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

/** A job over which so many workers died is not given to another one. */
const MOST_LOSSES = 5;

interface Reclaiming {
  readonly kinds: readonly string[];
  readonly onceKinds: readonly string[];
  readonly expiryMs: number;
}

/** Takes the jobs of workers that were silent for too long away from them; the next claim of a job is anybody's. */
export async function reclaimJobs(pool: pg.Pool, { kinds, onceKinds, expiryMs }: Reclaiming): Promise<LostJob[]> {
  const rows = await queryRows<{ id: string; kind: string; worker_id: string; status: LostJob['status'] }>(pool, {
    name: 'reclaim-jobs',
    text: `
      WITH lost AS (
        SELECT id, CASE
            WHEN cancel_requested_at IS NOT NULL THEN 'canceled'
            WHEN kind = ANY ($2) OR losses >= ${MOST_LOSSES} THEN 'errored' ELSE 'waiting' END AS status
        FROM job WHERE status = 'running' AND heartbeat_at < now() - $3 * interval '1 millisecond' AND kind = ANY ($1)
        ORDER BY heartbeat_at LIMIT 100 FOR UPDATE SKIP LOCKED),
      taken AS (
        UPDATE job SET status = lost.status, fence = fence + 1, losses = losses + 1, heartbeat_at = NULL, last_updated = now(),
          finished_at = CASE WHEN lost.status <> 'waiting' THEN now() END, is_dead = lost.status = 'errored',
          error = CASE lost.status
            WHEN 'canceled' THEN 'canceled by ' || cancel_requested_by || '; its worker died before it could stop'
            WHEN 'errored' THEN CASE WHEN kind = ANY ($2)
              THEN 'worker_dead: the worker that ran it died, and a job of this kind must not run twice'
              ELSE 'worker_dead: ' || losses + 1 || ' workers died over it' END END
        FROM lost WHERE job.id = lost.id RETURNING job.id, job.kind, job.worker_id, job.status),
      told AS (
        INSERT INTO job_log (job_id, line_number, data)
        SELECT t.id, coalesce((SELECT max(line_number) FROM job_log l WHERE l.job_id = t.id), 0) + 1,
          'worker_dead: worker ' || t.worker_id || ' was not heard of any more' ||
          CASE t.status WHEN 'waiting' THEN '; another one goes on' ELSE '' END
        FROM taken t)
      SELECT * FROM taken`,
    values: [kinds, onceKinds, expiryMs],
  });
  return rows.map(({ worker_id, ...row }) => ({ ...row, workerId: worker_id }));
}
