import { setTimeout as delay } from 'node:timers/promises';
import type { JobLine } from '@entrepot/jobs';
import type { CommandContext } from '../commands/context.js';
import { noSuchJob, withJobs } from './with-jobs.js';

const PAGE_SIZE = 1_000;
const POLL_INTERVAL_MS = 500;

/** Prints a job's log, and with `follow` what is added until the job has ended. */
export async function printLog(
  { source, write }: CommandContext,
  id: string,
  { follow, json }: { readonly follow?: true; readonly json?: true },
): Promise<void> {
  const format = (line: JobLine) =>
    json
      ? JSON.stringify({ data: line.data, lineNum: line.lineNum, at: line.at })
      : `${line.at.toISOString()}  ${line.data}`;
  await withJobs(source, async (records) => {
    for (let last = 0; ;) {
      // Asked before the lines are read: what was said before the end is then among them.
      const job = await records.find(id);
      if (job === undefined) throw noSuchJob(id);
      const lines = await records.lines(id, last, PAGE_SIZE);
      for (const line of lines) write(`${format(line)}\n`);
      last = lines.at(-1)?.lineNum ?? last;
      if (lines.length === PAGE_SIZE) continue;
      if (!follow || job.finishedAt !== undefined) return;
      await delay(POLL_INTERVAL_MS);
    }
  });
}
