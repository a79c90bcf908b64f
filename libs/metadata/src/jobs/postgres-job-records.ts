import {
  HEARTBEAT_EXPIRY_MS,
  type Job,
  type JobFilter,
  type JobLine,
  type JobRecords,
  type NewJob,
  type ScheduleRecord,
  type WorkerRecord,
} from '@entrepot/jobs';
import type pg from 'pg';
import { queryRows, repeatRows } from '../database/unit-of-work.js';
import { JOB_COLUMNS, toJob, type JobRow } from './job-rows.js';
import { changeSchedule, SCHEDULE_COLUMNS, toSchedule, type ScheduleRow } from './schedules.js';

/** For jobs that are told to end, unless they say otherwise. */
const STOP_TIMEOUT_MS = 10_000;
/** Ids that are no UUIDs name nothing; Postgres would object to them. */
const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/i;

interface WorkerRow {
  readonly id: string;
  readonly status: WorkerRecord['status'];
  readonly host: string;
  readonly process_id: number;
  readonly kinds: string[];
  readonly capacity: Record<string, number>;
  readonly started_at: Date;
  readonly heartbeat_expiration: Date;
  readonly running_jobs: number;
}

export class PostgresJobRecords implements JobRecords {
  constructor(private readonly pool: pg.Pool) {}

  async add(job: NewJob): Promise<Job> {
    const [row] = await queryRows<JobRow>(this.pool, {
      name: 'add-job',
      text: `
        INSERT INTO job (kind, requested_by, parameters, retries_left, retries_total, scheduled_at, deadline_ms,
          stop_timeout_ms, capacity)
        VALUES ($1, $2, $3, $4, $4, coalesce($5, now()), $6, $7, jsonb_build_object($1::text, 1))
        RETURNING ${JOB_COLUMNS}`,
      values: [
        job.kind,
        job.requestedBy,
        job.parameters ?? {},
        job.retries ?? 0,
        job.scheduledAt ?? null,
        job.deadlineMs ?? null,
        job.stopTimeoutMs ?? STOP_TIMEOUT_MS,
      ],
    });
    if (row === undefined) throw new Error('a job that was added is not there');
    return toJob(row);
  }

  async find(id: string): Promise<Job | undefined> {
    if (!UUID.test(id)) return undefined;
    const [row] = await repeatRows<JobRow>(this.pool, {
      name: 'find-job',
      text: `SELECT ${JOB_COLUMNS} FROM job WHERE id = $1`,
      values: [id],
    });
    return row && toJob(row);
  }

  async list({ kind, status, workerId, isDead, start = 0, limit }: JobFilter): Promise<Job[]> {
    const rows = await repeatRows<JobRow>(this.pool, {
      name: 'list-jobs',
      text: `
        SELECT ${JOB_COLUMNS} FROM job
        WHERE ($1::text IS NULL OR kind = $1) AND ($2::text IS NULL OR status = $2)
          AND ($3::text IS NULL OR worker_id::text = $3) AND ($4::boolean IS NULL OR is_dead = $4)
        ORDER BY scheduled_at DESC, id DESC OFFSET $5 LIMIT $6`,
      values: [kind ?? null, status ?? null, workerId ?? null, isDead ?? null, start, limit],
    });
    return rows.map(toJob);
  }

  async cancel(id: string, by: string): Promise<Job | undefined> {
    if (!UUID.test(id)) return undefined;
    const [row] = await queryRows<JobRow>(this.pool, {
      name: 'cancel-job',
      text: `
        UPDATE job SET cancel_requested_at = coalesce(cancel_requested_at, now()),
          cancel_requested_by = coalesce(cancel_requested_by, $2),
          status = CASE status WHEN 'waiting' THEN 'canceled' ELSE status END,
          finished_at = CASE status WHEN 'waiting' THEN now() END,
          error = CASE status WHEN 'waiting' THEN 'canceled by ' || $2 ELSE error END, last_updated = now()
        WHERE id = $1 AND status IN ('waiting', 'running') RETURNING ${JOB_COLUMNS}`,
      values: [id, by],
    });
    return row ? toJob(row) : this.find(id);
  }

  async remove(id: string): Promise<boolean> {
    if (!UUID.test(id)) return false;
    const rows = await queryRows(this.pool, {
      name: 'remove-job',
      text: `
        WITH gone AS (SELECT id FROM job WHERE id = $1 FOR UPDATE),
        lines AS (DELETE FROM job_log l USING gone g WHERE l.job_id = g.id)
        DELETE FROM job j USING gone g WHERE j.id = g.id RETURNING j.id`,
      values: [id],
    });
    return rows.length > 0;
  }

  async lines(id: string, afterLine: number, limit: number): Promise<JobLine[]> {
    if (!UUID.test(id)) return [];
    const rows = await repeatRows<{ line_number: number; at: Date; data: string }>(this.pool, {
      name: 'list-job-lines',
      text: 'SELECT line_number, at, data FROM job_log WHERE job_id = $1 AND line_number > $2 ORDER BY line_number LIMIT $3',
      values: [id, afterLine, limit],
    });
    return rows.map(({ line_number, at, data }) => ({ lineNum: line_number, at, data }));
  }

  async workers(): Promise<WorkerRecord[]> {
    const rows = await repeatRows<WorkerRow>(this.pool, {
      name: 'list-workers',
      text: `
        SELECT w.id, w.host, w.process_id, w.kinds, w.capacity, w.started_at,
          w.heartbeat_at + $1 * interval '1 millisecond' AS heartbeat_expiration,
          CASE WHEN w.heartbeat_at < now() - $1 * interval '1 millisecond' THEN 'dead'
            WHEN w.is_stopping THEN 'stopping' ELSE 'running' END AS status,
          (SELECT count(*)::int FROM job j WHERE j.worker_id = w.id AND j.status = 'running') AS running_jobs
        FROM worker w ORDER BY w.started_at, w.id`,
      values: [HEARTBEAT_EXPIRY_MS],
    });
    return rows.map((row) => ({
      id: row.id,
      status: row.status,
      host: row.host,
      processId: row.process_id,
      kinds: row.kinds,
      capacity: row.capacity,
      startedAt: row.started_at,
      heartbeatExpiration: row.heartbeat_expiration,
      runningJobs: row.running_jobs,
    }));
  }

  async schedules(): Promise<ScheduleRecord[]> {
    const rows = await repeatRows<ScheduleRow>(this.pool, {
      name: 'list-schedules',
      text: `SELECT ${SCHEDULE_COLUMNS} FROM schedule ORDER BY kind COLLATE "C"`,
      values: [],
    });
    return rows.map(toSchedule);
  }

  setSchedule(kind: string, override: string | undefined, by: string): Promise<ScheduleRecord | undefined> {
    return changeSchedule(this.pool, { kind, override, by });
  }
}
