import { fromTimestamp, type ListJobsRequest, type RunJobRequest } from '@entrepot/contracts';
import { isKindName, KINDS, parseJobStatus, refuseParameters, type JobFilter, type NewJob } from '@entrepot/jobs';
import { parseDuration } from '@entrepot/oci';
import { status } from '@grpc/grpc-js';
import { RequestRefused } from './grpc-error.filter.js';

const DEFAULT_LIMIT = 10;
const MAX_LIMIT = 1_000;
const MAX_RETRIES = 100;

/** Reads what jobs are asked for. Throws `RequestRefused`. */
export function readFilter(request: ListJobsRequest): JobFilter {
  const wanted = request.status === '' ? undefined : parseJobStatus(request.status);
  if (wanted === undefined && request.status !== '') throw invalid(`there is no status ${request.status}`);
  const { action, workerId, dead, start, limit } = request;
  if (start < 0 || limit < 0) throw invalid('start and limit are not negative');
  return {
    ...(action !== '' && { kind: action }),
    ...(wanted !== undefined && { status: wanted }),
    ...(workerId !== '' && { workerId }),
    ...(dead && { isDead: true as const }),
    start,
    limit: Math.min(limit === 0 ? DEFAULT_LIMIT : limit, MAX_LIMIT),
  };
}

/** Reads a job that is asked for. Throws `RequestRefused`. */
export function readNewJob(request: RunJobRequest): NewJob {
  const { action, parameters, retries, scheduledAt, deadline, stopTimeout } = request;
  if (!isKindName(action)) throw invalid(`no kind is called ${action}; there are ${Object.keys(KINDS).join(', ')}`);
  const refusal = refuseParameters(action, parameters);
  if (refusal !== undefined) throw invalid(refusal);
  if (retries < 0 || retries > MAX_RETRIES) throw invalid(`retries are 0 to ${MAX_RETRIES}`);
  return {
    kind: action,
    parameters,
    retries,
    requestedBy: readRequester(request.requestedBy),
    ...(scheduledAt !== null && { scheduledAt: fromTimestamp(scheduledAt) }),
    ...(deadline !== '' && { deadlineMs: readDuration(deadline) }),
    ...(stopTimeout !== '' && { stopTimeoutMs: readDuration(stopTimeout) }),
  };
}

/** In whose name something is asked for; records say so. Throws `RequestRefused`. */
export function readRequester(text: string): string {
  if (/^[\x21-\x7e]{1,200}$/.test(text)) return text;
  throw invalid('requested_by is a name of 1 to 200 printable characters');
}

function readDuration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs === undefined || durationMs === 0) throw invalid(`${text} is no duration such as 30m or 1h`);
  return durationMs;
}

function invalid(message: string): RequestRefused {
  return new RequestRefused(status.INVALID_ARGUMENT, message);
}
