import type { CommandContext } from '../commands/context.js';
import { ringBell } from '../administration/ring-bell.js';
import { CommandFailure } from '../exit-codes.js';
import { waitForJob } from './wait-for-job.js';
import { noSuchJob, operator, withJobs } from './with-jobs.js';

/** Asks a job to end, and with `wait` until it has. Throws `CommandFailure` where there is nothing to end. */
export async function cancelJob({ source, write, tell }: CommandContext, id: string, wait: boolean): Promise<void> {
  await withJobs(source, async (records) => {
    const before = await records.find(id);
    const job = await records.cancel(id, operator());
    if (before === undefined || job === undefined) throw noSuchJob(id);
    if (before.finishedAt !== undefined) throw new CommandFailure('refused', `the job ${id} is ${job.status} already`);
    await ringBell(source, 'jobs.changed');
    const last = wait && job.finishedAt === undefined ? await waitForJob(records, id, tell) : job;
    write(last.finishedAt === undefined ? `job ${id} was asked to stop\n` : `job ${id} is ${last.status}\n`);
  });
}
