import { setTimeout as delay } from 'node:timers/promises';
import type { Job, JobRecords } from '@entrepot/jobs';
import { CommandFailure } from '../exit-codes.js';
import { formatJobProgress } from './format-job.js';

const POLL_INTERVAL_MS = 200;
const WORKER_CHECK_MS = 2_000;
/** A jobrunner that is being restarted is waited for. */
const NO_WORKER_PATIENCE_MS = 10_000;

/** Waits until the job has ended, and tells its progress. Throws `CommandFailure` where no worker is there to run it. */
export async function waitForJob(records: JobRecords, id: string, tell: (text: string) => void): Promise<Job> {
  const watch = watchWorkers(records, tell);
  let told = '';
  for (;;) {
    const job = await records.find(id);
    if (job === undefined) throw new CommandFailure('refused', `the job ${id} was deleted`);
    const progress = formatJobProgress(job);
    if (progress !== told) tell(`${progress}\n`);
    told = progress;
    if (job.finishedAt !== undefined) return job;
    await watch(job);
    await delay(POLL_INTERVAL_MS);
  }
}

/** Says where nobody lives who could run the job, and gives up when nobody comes. */
function watchWorkers(records: JobRecords, tell: (text: string) => void): (job: Job) => Promise<void> {
  const startMs = performance.now();
  let checkAtMs = 0;
  let absentSinceMs: number | undefined;
  return async (job) => {
    const nowMs = performance.now() - startMs;
    if (nowMs < checkAtMs) return;
    checkAtMs = nowMs + WORKER_CHECK_MS;
    const reason = await absenceOf(records, job.kind);
    if (reason === undefined) {
      absentSinceMs = undefined;
      return;
    }
    if (absentSinceMs === undefined) tell(`${reason}; waiting for one\n`);
    absentSinceMs ??= nowMs;
    if (nowMs - absentSinceMs < NO_WORKER_PATIENCE_MS) return;
    const advice = "start a jobrunner ('entrepot start' or 'entrepot serve jobrunner')";
    throw new CommandFailure('unavailable', `${reason}: the job ${job.id} is still ${job.status}; ${advice}`);
  };
}

/** Why nobody runs jobs of the kind now; undefined where somebody does. */
export async function absenceOf(records: JobRecords, kind: string): Promise<string | undefined> {
  const alive = (await records.workers()).filter(({ status }) => status === 'running');
  if (alive.length === 0) return 'no worker is alive';
  return alive.some(({ kinds }) => kinds.includes(kind)) ? undefined : `no worker that is alive knows the kind ${kind}`;
}
