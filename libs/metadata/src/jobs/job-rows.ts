import type { Capacity, Job, JobProgress, JobResult, JobStatus } from '@entrepot/jobs';

export interface JobRow {
  readonly id: string;
  readonly kind: string;
  readonly status: JobStatus;
  readonly requested_by: string;
  readonly is_scheduled: boolean;
  readonly retry_from_id: string | null;
  readonly retries_left: number;
  readonly retries_total: number;
  readonly capacity: Capacity;
  readonly parameters: Record<string, string>;
  readonly deadline_ms: string | null;
  readonly stop_timeout_ms: string;
  readonly created_at: Date;
  readonly scheduled_at: Date;
  readonly started_at: Date | null;
  readonly last_updated: Date;
  readonly finished_at: Date | null;
  readonly worker_id: string | null;
  readonly cancel_requested_at: Date | null;
  readonly progress: Omit<JobProgress, 'state'> | null;
  readonly result: JobResult | null;
  readonly error: string | null;
  readonly is_dead: boolean;
}

/** Columns of a job as everybody may see it; `state` is its kind's own. */
export const JOB_COLUMNS = `job.id, job.kind, job.status, job.requested_by, job.is_scheduled, job.retry_from_id,
  job.retries_left, job.retries_total, job.capacity, job.parameters, job.deadline_ms, job.stop_timeout_ms, job.created_at,
  job.scheduled_at, job.started_at, job.last_updated, job.finished_at, job.worker_id, job.cancel_requested_at, job.progress,
  job.result, job.error, job.is_dead`;

export function toJob(row: JobRow): Job {
  return {
    id: row.id,
    kind: row.kind,
    status: row.status,
    requestedBy: row.requested_by,
    isScheduled: row.is_scheduled,
    retryFromId: row.retry_from_id ?? undefined,
    retriesLeft: row.retries_left,
    retriesTotal: row.retries_total,
    capacity: row.capacity,
    parameters: row.parameters,
    deadlineMs: row.deadline_ms === null ? undefined : Number(row.deadline_ms),
    stopTimeoutMs: Number(row.stop_timeout_ms),
    createdAt: row.created_at,
    scheduledAt: row.scheduled_at,
    startedAt: row.started_at ?? undefined,
    lastUpdated: row.last_updated,
    finishedAt: row.finished_at ?? undefined,
    workerId: row.worker_id ?? undefined,
    cancelRequestedAt: row.cancel_requested_at ?? undefined,
    progress: row.progress ?? undefined,
    result: row.result ?? undefined,
    error: row.error ?? undefined,
    isDead: row.is_dead,
  };
}
