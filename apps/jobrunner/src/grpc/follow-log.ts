import { setTimeout as delay } from 'node:timers/promises';
import type { JobLine, JobRecords } from '@entrepot/jobs';

const PAGE_SIZE = 500;
const POLL_INTERVAL_MS = 500;

export interface Following {
  readonly id: string;
  readonly afterLine: number;
  /** Goes on until the job has ended or is gone, */
  readonly follow: boolean;
  /** or until nobody reads any more. */
  readonly signal: AbortSignal;
}

/** Gives the lines of a job's log as they come. */
export async function* followLog(
  records: JobRecords,
  { id, afterLine, follow, signal }: Following,
): AsyncGenerator<JobLine> {
  let last = afterLine;
  while (!signal.aborted) {
    // Asked before the lines are read: what was said before the end is then among them.
    const isOver = (await records.find(id))?.finishedAt !== undefined;
    const lines = await records.lines(id, last, PAGE_SIZE);
    yield* lines;
    last = lines.at(-1)?.lineNum ?? last;
    if (lines.length === PAGE_SIZE) continue;
    if (!follow || isOver || (await records.find(id)) === undefined) return;
    await delay(POLL_INTERVAL_MS, undefined, { signal, ref: false }).catch(() => undefined);
  }
}
