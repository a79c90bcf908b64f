import { setTimeout as delay } from 'node:timers/promises';
import type { Queue } from 'bullmq';

export interface Schedule {
  readonly name: string;
  readonly intervalMs: number;
}

const MIN_CHECK_INTERVAL_MS = 1_000;
/** A schedule that is lost with all that Redis holds is missed for no longer. */
const MAX_CHECK_INTERVAL_MS = 15_000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
/** How far a firing may be behind before its schedule counts as lost. */
const OVERDUE_MS = 10_000;

/** What it keeps schedules in. */
export type ScheduleBook = Pick<Queue, 'getJobScheduler' | 'upsertJobScheduler'>;

/**
 * Sees to it that the schedule exists, now and from time to time, until the signal aborts. Each firing schedules the next,
 * so one that is lost (a killed process, a flushed Redis, a deadlock in the queue's tables) would end them all; and
 * schedules written at once by several processes deadlock, so that one which is in order is left alone.
 */
export async function keepScheduled(
  book: ScheduleBook,
  schedule: Schedule,
  { signal, report }: { readonly signal: AbortSignal; report(error: Error): void },
): Promise<void> {
  let failures = 0;
  while (!signal.aborted) {
    try {
      await ensureScheduled(book, schedule);
      failures = 0;
    } catch (error) {
      failures += 1;
      if (!signal.aborted) report(error instanceof Error ? error : new Error(String(error)));
    }
    await delay(waitMs(schedule.intervalMs, failures), undefined, { signal, ref: false }).catch(() => undefined);
  }
}

function waitMs(intervalMs: number, failures: number): number {
  if (failures > 0) return Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS) * Math.random();
  return Math.min(Math.max(intervalMs, MIN_CHECK_INTERVAL_MS), MAX_CHECK_INTERVAL_MS);
}

async function ensureScheduled(book: ScheduleBook, { name, intervalMs }: Schedule): Promise<void> {
  const present = await book.getJobScheduler(name);
  const isInOrder = present?.every === intervalMs && (present.next ?? 0) > Date.now() - OVERDUE_MS;
  if (isInOrder) return;
  const options = { removeOnComplete: true, removeOnFail: true };
  await book.upsertJobScheduler(name, { every: intervalMs }, { name, opts: options });
}
