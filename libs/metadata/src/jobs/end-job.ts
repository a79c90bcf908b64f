import type { Claim, JobEnd } from '@entrepot/jobs';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

/**
 * Records how a run ended. One that failed is tried again by a job of its own, unless its schedule comes sooner than that; one
 * that nothing tries again is dead.
 */
export async function endJob(
  pool: pg.Pool,
  { id, fence }: Claim,
  { status, result, error, retryAfterMs }: JobEnd,
): Promise<string | undefined> {
  const [row] = await queryRows<{ id: string }>(pool, {
    name: 'end-job',
    text: `
      WITH held AS (
        SELECT id, kind, is_scheduled, retries_left FROM job WHERE id = $1 AND fence = $2 AND status = 'running' FOR UPDATE),
      failed AS (
        SELECT id FROM held WHERE $6::float8 IS NOT NULL AND retries_left > 0 AND NOT (is_scheduled AND EXISTS (
          SELECT FROM schedule s WHERE s.kind = held.kind AND s.next_at <= now() + $6 * interval '1 millisecond'))),
      ended AS (
        UPDATE job SET status = $3, result = $4, error = $5, finished_at = now(), last_updated = now(), heartbeat_at = NULL,
          state = NULL, is_dead = $3 = 'errored' AND NOT EXISTS (SELECT FROM failed)
        FROM held WHERE job.id = held.id RETURNING job.*)
      INSERT INTO job (kind, requested_by, is_scheduled, retry_from_id, retries_left, retries_total, capacity, parameters,
        deadline_ms, stop_timeout_ms, scheduled_at)
      SELECT e.kind, e.requested_by, e.is_scheduled, e.id, e.retries_left - 1, e.retries_total, e.capacity, e.parameters,
        e.deadline_ms, e.stop_timeout_ms, now() + $6 * interval '1 millisecond'
      FROM ended e JOIN failed f ON f.id = e.id RETURNING id`,
    values: [id, fence, status, result ?? null, error ?? null, retryAfterMs ?? null],
  });
  return row?.id;
}
