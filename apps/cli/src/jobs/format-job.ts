import type { Job } from '@entrepot/jobs';
import { formatBytes } from '../storage/migration-progress.js';

/** One line that says where a job stands. */
export function formatJobProgress({ kind, status, progress, cancelRequestedAt }: Job): string {
  const isStopping = status === 'running' && cancelRequestedAt !== undefined;
  const state = isStopping ? 'running, asked to stop' : status;
  if (progress === undefined) return `${kind}: ${state}`;
  const { done, total, unit } = progress;
  const amount = unit === 'bytes' ? formatBytes : String;
  const counted = unit === 'bytes' ? '' : ` ${unit}`;
  return `${kind}: ${state}, ${amount(done)}${total === undefined ? '' : ` of ${amount(total)}`}${counted}`;
}

/** What a job did, a line each: `blobs removed: 3`. */
export function formatResult({ kind, status, result, error, startedAt, finishedAt }: Job): string {
  const tookMs = finishedAt && startedAt ? finishedAt.getTime() - startedAt.getTime() : 0;
  const lines = Object.entries(result ?? {}).map(([name, value]) => `  ${inWords(name)}: ${formatValue(name, value)}`);
  const reason = error === undefined ? '' : `: ${error}`;
  return [`${kind} ${status} after ${(tookMs / 1000).toFixed(1)} s${reason}`, ...lines]
    .map((line) => `${line}\n`)
    .join('');
}

/** A row of `job list`. */
export function listedJob(job: Job) {
  return {
    id: job.id,
    kind: job.kind,
    status: job.isDead ? `${job.status} (dead)` : job.status,
    scheduled: job.scheduledAt,
    by: job.requestedBy,
    what: whatOf(job),
  };
}

function whatOf(job: Job): string {
  if (job.error !== undefined) return job.error;
  if (job.result === undefined) return job.progress === undefined ? '' : formatJobProgress(job).replace(/^.*?, /, '');
  const done = Object.entries(job.result).filter(([, value]) => value !== 0);
  return done.map(([name, value]) => `${inWords(name)}: ${formatValue(name, value)}`).join(', ') || 'nothing to do';
}

function formatValue(name: string, value: number | string | boolean): string {
  if (typeof value === 'number' && /bytes/i.test(name))
    return value < 1024 ? String(value) : `${value} (${formatBytes(value)})`;
  return typeof value === 'boolean' ? (value ? 'yes' : 'no') : String(value);
}

/** `blobsRemoved` → `blobs removed`. */
function inWords(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);
}
