import { jobsSection, publishJob, type Job, type NewJob } from '@entrepot/jobs';
import { loadConfig } from '@entrepot/runtime';
import { ringBell } from '../administration/ring-bell.js';
import type { CommandContext } from '../commands/context.js';
import { CommandFailure } from '../exit-codes.js';
import { standaloneSections } from '../standalone/settings.js';
import { formatResult } from './format-job.js';
import { absenceOf, waitForJob } from './wait-for-job.js';
import { operator, withJobs } from './with-jobs.js';

export interface RunJob extends Omit<NewJob, 'requestedBy'> {
  readonly wait: boolean;
  readonly json: boolean;
}

/**
 * Asks for a job, and with `wait` for what it did. A job that somebody waits for is not tried again by itself, unless it says so.
 * Throws `CommandFailure` where it did not get done.
 */
export async function runJob({ source, write, tell }: CommandContext, options: RunJob): Promise<void> {
  const { wait, json, ...asked } = options;
  const { jobs } = loadConfig([jobsSection], { ...source, known: standaloneSections });
  const retries = asked.retries ?? (wait ? 0 : jobs.retries);
  const job = await withJobs(source, async (records) => {
    const added = await records.add({ ...asked, retries, requestedBy: operator() });
    await ringBell(source, 'jobs.changed');
    if (wait) return waitForJob(records, added.id, tell);
    const absence = await absenceOf(records, added.kind);
    if (absence !== undefined) tell(`${absence}; the job waits until one is\n`);
    return added;
  });
  if (json) write(`${JSON.stringify(publishJob(job), null, 2)}\n`);
  else write(wait ? formatResult(job) : `job ${job.id} waits; see 'entrepot job logs ${job.id} --follow'\n`);
  if (wait) refuseUndone(job);
}

function refuseUndone({ id, status, error }: Job): void {
  if (status !== 'done') throw new CommandFailure('refused', `the job ${id} is ${status}${error ? `: ${error}` : ''}`);
}
