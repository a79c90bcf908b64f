import {
  toTimestamp,
  type JobMessage,
  type LogLineMessage,
  type ScheduleMessage,
  type ValueMessage,
  type WorkerMessage,
} from '@entrepot/contracts';
import type { Job, JobLine, ScheduleRecord, WorkerRecord } from '@entrepot/jobs';
import { formatDuration } from '@entrepot/oci';

export function toJobMessage(job: Job): JobMessage {
  return {
    id: job.id,
    retryFromId: job.retryFromId ?? '',
    workerId: job.workerId ?? '',
    status: job.status,
    scheduledAt: toTimestamp(job.scheduledAt),
    lastUpdated: toTimestamp(job.lastUpdated),
    action: job.kind,
    retriesLeft: job.retriesLeft,
    retriesTotal: job.retriesTotal,
    capacityMap: job.capacity,
    parameters: job.parameters,
    deadline: job.deadlineMs === undefined ? '' : formatDuration(job.deadlineMs),
    stopTimeout: formatDuration(job.stopTimeoutMs),
    requestedBy: job.requestedBy,
    createdAt: toTimestamp(job.createdAt),
    startedAt: orNull(job.startedAt),
    finishedAt: orNull(job.finishedAt),
    cancelRequestedAt: orNull(job.cancelRequestedAt),
    progress: job.progress ?? null,
    result: Object.fromEntries(Object.entries(job.result ?? {}).map(([name, value]) => [name, toValue(value)])),
    error: job.error ?? '',
    dead: job.isDead,
  };
}

export function toLineMessage({ lineNum, data, at }: JobLine): LogLineMessage {
  return { lineNum, data, at: toTimestamp(at) };
}

export function toScheduleMessage(schedule: ScheduleRecord): ScheduleMessage {
  return {
    action: schedule.kind,
    schedule: schedule.override ?? schedule.fallback,
    source: schedule.override === undefined ? 'default' : 'set',
    default: schedule.fallback,
    setBy: schedule.setBy ?? '',
    retries: schedule.retries,
    nextRun: orNull(schedule.nextAt),
    lastRun: orNull(schedule.lastFiredAt),
  };
}

export function toWorkerMessage(worker: WorkerRecord): WorkerMessage {
  return {
    id: worker.id,
    status: worker.status,
    capacityMap: worker.capacity,
    heartbeatExpiration: toTimestamp(worker.heartbeatExpiration),
    host: worker.host,
    processId: worker.processId,
    actions: worker.kinds,
    runningJobs: worker.runningJobs,
  };
}

function toValue(value: number | string | boolean): ValueMessage {
  if (typeof value === 'number') return { number: value };
  return typeof value === 'string' ? { text: value } : { flag: value };
}

function orNull(time: Date | undefined) {
  return time === undefined ? null : toTimestamp(time);
}
