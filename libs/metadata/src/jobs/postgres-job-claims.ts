import {
  HEARTBEAT_EXPIRY_MS,
  type Capacity,
  type Claim,
  type ClaimedJob,
  type JobClaims,
  type JobCounts,
  type JobEnd,
  type JobProgress,
  type LostJob,
  type NewWorker,
  type StandingClaim,
} from '@entrepot/jobs';
import type pg from 'pg';
import { queryRows, repeatRows, runUnitOfWork } from '../database/unit-of-work.js';
import { claimJob } from './claim-job.js';
import { countJobs } from './count-jobs.js';
import { endJob } from './end-job.js';
import { reclaimJobs } from './reclaim-jobs.js';
import { addUnlessWaiting, declareSchedule, fireSchedules } from './schedules.js';
import { trimJobs } from './trim-jobs.js';

interface StandingRow {
  readonly id: string;
  readonly cancel_requested_by: string | null;
}

export class PostgresJobClaims implements JobClaims {
  constructor(
    private readonly pool: pg.Pool,
    /** For how long a worker may be silent. */
    private readonly expiryMs: number = HEARTBEAT_EXPIRY_MS,
  ) {}

  async greet({ id, host, processId, kinds, capacity }: NewWorker): Promise<Capacity> {
    const [row] = await repeatRows<{ capacity: Capacity }>(this.pool, {
      name: 'greet-worker',
      text: `
        INSERT INTO worker AS w (id, host, process_id, kinds, capacity) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (id) DO UPDATE SET heartbeat_at = now() RETURNING w.capacity`,
      values: [id, host, processId, kinds, capacity],
    });
    return row?.capacity ?? capacity;
  }

  async stopping(workerId: string): Promise<void> {
    await repeatRows(this.pool, {
      name: 'stop-worker',
      text: 'UPDATE worker SET is_stopping = true WHERE id = $1',
      values: [workerId],
    });
  }

  async leave(workerId: string): Promise<void> {
    await repeatRows(this.pool, {
      name: 'forget-worker',
      text: 'DELETE FROM worker WHERE id = $1',
      values: [workerId],
    });
  }

  claim(workerId: string, kinds: readonly string[], free: Capacity): Promise<ClaimedJob | undefined> {
    return claimJob(this.pool, { workerId, kinds, free });
  }

  async keep(claims: readonly Claim[]): Promise<StandingClaim[]> {
    const rows = await repeatRows<StandingRow>(this.pool, {
      name: 'keep-jobs',
      text: `
        UPDATE job SET heartbeat_at = now() FROM unnest($1::uuid[], $2::bigint[]) AS held (id, fence)
        WHERE job.id = held.id AND job.fence = held.fence AND job.status = 'running'
        RETURNING job.id, job.cancel_requested_by`,
      values: [claims.map(({ id }) => id), claims.map(({ fence }) => fence)],
    });
    return rows.map(toStandingClaim);
  }

  async check(claims: readonly Claim[]): Promise<StandingClaim[]> {
    const rows = await repeatRows<StandingRow>(this.pool, {
      name: 'check-jobs',
      text: `
        SELECT job.id, job.cancel_requested_by FROM job
        JOIN unnest($1::uuid[], $2::bigint[]) AS held (id, fence) ON job.id = held.id AND job.fence = held.fence
        WHERE job.status = 'running'`,
      values: [claims.map(({ id }) => id), claims.map(({ fence }) => fence)],
    });
    return rows.map(toStandingClaim);
  }

  async note({ id, fence }: Claim, { state, ...progress }: JobProgress): Promise<boolean> {
    const rows = await repeatRows(this.pool, {
      name: 'note-progress',
      text: `
        UPDATE job SET progress = $3, state = coalesce($4::jsonb, state), heartbeat_at = now(), last_updated = now()
        WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id`,
      values: [id, fence, progress, state === undefined ? null : JSON.stringify(state)],
    });
    return rows.length > 0;
  }

  append(
    claim: Claim,
    { first, data }: { readonly first: number; readonly data: readonly string[] },
    keptLines: number,
  ): Promise<boolean> {
    return runUnitOfWork(this.pool, async (tx) => {
      const held = await tx.query('SELECT FROM job WHERE id = $1 AND fence = $2 FOR KEY SHARE', [
        claim.id,
        claim.fence,
      ]);
      if (held.rowCount === 0) return false;
      await tx.query(
        `INSERT INTO job_log (job_id, line_number, data)
         SELECT $1, $2 + line.place - 1, line.data FROM unnest($3::text[]) WITH ORDINALITY AS line (data, place)
         ON CONFLICT (job_id, line_number) DO UPDATE SET data = excluded.data`,
        [claim.id, first, data],
      );
      const last = first + data.length - 1;
      if (last > keptLines) {
        await tx.query('DELETE FROM job_log WHERE job_id = $1 AND line_number <= $2', [claim.id, last - keptLines]);
      }
      return true;
    });
  }

  end(claim: Claim, end: JobEnd): Promise<string | undefined> {
    return endJob(this.pool, claim, end);
  }

  async forget({ id, fence }: Claim): Promise<void> {
    await repeatRows(this.pool, {
      name: 'forget-job',
      text: `
        WITH gone AS (SELECT id FROM job WHERE id = $1 AND fence = $2 FOR UPDATE),
        lines AS (DELETE FROM job_log l USING gone g WHERE l.job_id = g.id)
        DELETE FROM job j USING gone g WHERE j.id = g.id`,
      values: [id, fence],
    });
  }

  async giveBack({ id, fence }: Claim, reason: string): Promise<void> {
    await repeatRows(this.pool, {
      name: 'give-job-back',
      text: `
        WITH given AS (
          UPDATE job SET status = 'waiting', fence = fence + 1, heartbeat_at = NULL, last_updated = now()
          WHERE id = $1 AND fence = $2 AND status = 'running' RETURNING id)
        INSERT INTO job_log (job_id, line_number, data)
        SELECT id, coalesce((SELECT max(line_number) FROM job_log WHERE job_id = $1), 0) + 1, $3 FROM given`,
      values: [id, fence, reason],
    });
  }

  reclaim(kinds: readonly string[], onceKinds: readonly string[]): Promise<LostJob[]> {
    return reclaimJobs(this.pool, { kinds, onceKinds, expiryMs: this.expiryMs });
  }

  async declare(schedules: Parameters<JobClaims['declare']>[0]): Promise<void> {
    // In one order everywhere, so that jobrunners which start at once do not lock each other out.
    const ordered = schedules.toSorted((one, other) => (one.kind < other.kind ? -1 : 1));
    await runUnitOfWork(this.pool, async (tx) => {
      for (const schedule of ordered) await declareSchedule(tx, schedule);
    });
  }

  async fire(kinds: readonly string[]): Promise<number | undefined> {
    const ask = (): Promise<{ wait_ms: number | null }[]> =>
      queryRows(this.pool, {
        name: 'next-firing',
        text: `SELECT (extract(epoch FROM min(next_at) - now()) * 1000)::float8 AS wait_ms FROM schedule WHERE kind = ANY ($1)`,
        values: [kinds],
      });
    const [due] = await ask();
    if (due === undefined || due.wait_ms === null) return undefined;
    if (due.wait_ms > 0) return due.wait_ms;
    await runUnitOfWork(this.pool, (tx) => fireSchedules(tx, kinds));
    return (await ask())[0]?.wait_ms ?? undefined;
  }

  fireNow(kind: string): Promise<void> {
    return runUnitOfWork(this.pool, (tx) => addUnlessWaiting(tx, kind));
  }

  trim(kept: { readonly count: number; readonly ageMs: number }): Promise<number> {
    return trimJobs(this.pool, kept);
  }

  count(): Promise<JobCounts> {
    return countJobs(this.pool);
  }
}

function toStandingClaim({ id, cancel_requested_by }: StandingRow): StandingClaim {
  return { id, cancelRequestedBy: cancel_requested_by ?? undefined };
}
