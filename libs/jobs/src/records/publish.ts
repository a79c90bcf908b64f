import { formatDuration } from '@entrepot/oci';
import type { Job } from './job.js';
import type { ScheduleRecord } from '../schedule/schedule-record.js';
import type { WorkerRecord } from './worker.js';

/** A job as JSON: the fields of Docker Trusted Registry's object under their names, and what it had not. */
export function publishJob(job: Job) {
  return {
    id: job.id,
    kind: job.kind,
    retryFromID: job.retryFromId ?? '',
    workerID: job.workerId ?? '',
    status: job.status,
    scheduledAt: job.scheduledAt.toISOString(),
    lastUpdated: job.lastUpdated.toISOString(),
    action: job.kind,
    retriesLeft: job.retriesLeft,
    retriesTotal: job.retriesTotal,
    capacityMap: job.capacity,
    parameters: job.parameters,
    deadline: job.deadlineMs === undefined ? '' : formatDuration(job.deadlineMs),
    stopTimeout: formatDuration(job.stopTimeoutMs),
    requestedBy: job.requestedBy,
    createdAt: job.createdAt.toISOString(),
    startedAt: job.startedAt?.toISOString() ?? null,
    finishedAt: job.finishedAt?.toISOString() ?? null,
    cancelRequestedAt: job.cancelRequestedAt?.toISOString() ?? null,
    progress: job.progress ?? null,
    result: job.result ?? null,
    error: job.error ?? null,
    dead: job.isDead,
  };
}

/** A schedule as JSON, by the names of the published cron object. */
export function publishSchedule(schedule: ScheduleRecord) {
  return {
    id: schedule.kind,
    kind: schedule.kind,
    action: schedule.kind,
    schedule: schedule.override ?? schedule.fallback,
    source: schedule.override === undefined ? 'default' : 'set',
    default: schedule.fallback,
    setBy: schedule.setBy ?? null,
    retries: schedule.retries,
    capacityMap: { [schedule.kind]: 1 },
    parameters: {},
    deadline: '',
    stopTimeout: '',
    nextRun: schedule.nextAt?.toISOString() ?? null,
    lastRun: schedule.lastFiredAt?.toISOString() ?? null,
  };
}

/** A worker as JSON. */
export function publishWorker(worker: WorkerRecord) {
  return {
    id: worker.id,
    status: worker.status,
    capacityMap: worker.capacity,
    heartbeatExpiration: worker.heartbeatExpiration.toISOString(),
    host: worker.host,
    processId: worker.processId,
    kinds: worker.kinds,
    startedAt: worker.startedAt.toISOString(),
    runningJobs: worker.runningJobs,
  };
}
