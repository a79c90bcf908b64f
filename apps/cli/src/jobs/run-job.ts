import { isRunnerLine, jobsSection, publishJob, type Job, type JobRecords, type NewJob } from '@entrepot/jobs';
import { loadConfig } from '@entrepot/runtime';
import { ringBell } from '../administration/ring-bell.js';
import type { CommandContext } from '../commands/context.js';
import { CommandFailure } from '../exit-codes.js';
import { standaloneSections } from '../standalone/settings.js';
import { formatResult } from './format-job.js';
import { absenceOf, waitForJob } from './wait-for-job.js';
import { operator, withJobs } from './with-jobs.js';

const LOG_PAGE = 1_000;

export interface RunJob extends Omit<NewJob, 'requestedBy'> {
  readonly wait: boolean;
  readonly json: boolean;
}

/**
 * Asks for a job, and with `wait` for what it did; a dry run also lists what would be done. A job that somebody waits for is not
 * tried again by itself, unless it says so. Throws `CommandFailure` where it did not get done.
 */
export async function runJob({ source, write, tell }: CommandContext, options: RunJob): Promise<void> {
  const { wait, json, ...asked } = options;
  const { jobs } = loadConfig([jobsSection], { ...source, known: standaloneSections });
  const retries = asked.retries ?? (wait ? 0 : jobs.retries);
  const isListed = wait && asked.parameters?.['dry-run'] === 'true';
  const { job, log } = await withJobs(source, async (records) => {
    const added = await records.add({ ...asked, retries, requestedBy: operator() });
    await ringBell(source, 'jobs.changed');
    if (wait) {
      const ended = await waitForJob(records, added.id, tell);
      return { job: ended, log: isListed ? await readLog(records, added.id) : [] };
    }
    const absence = await absenceOf(records, added.kind);
    if (absence !== undefined) tell(`${absence}; the job waits until one is\n`);
    return { job: added, log: [] };
  });
  if (json) write(`${JSON.stringify({ ...publishJob(job), ...(isListed && { log }) }, null, 2)}\n`);
  else if (wait) write(log.map((line) => `${line}\n`).join('') + formatResult(job));
  else write(`job ${job.id} waits; see 'entrepot job logs ${job.id} --follow'\n`);
  if (wait) refuseUndone(job);
}

/** What the kind said, as much of it as is kept. */
async function readLog(records: JobRecords, id: string): Promise<string[]> {
  const log: string[] = [];
  for (let last = 0, found = LOG_PAGE; found === LOG_PAGE;) {
    const lines = await records.lines(id, last, LOG_PAGE);
    log.push(...lines.map(({ data }) => data).filter((data) => !isRunnerLine(data)));
    found = lines.length;
    last = lines.at(-1)?.lineNum ?? last;
  }
  return log;
}

function refuseUndone({ id, status, error }: Job): void {
  if (status !== 'done') throw new CommandFailure('refused', `the job ${id} is ${status}${error ? `: ${error}` : ''}`);
}
