import { setTimeout as delay } from 'node:timers/promises';
import { DatabaseUnavailable, isAway, isConflict } from './errors.js';

/** Of several transactions that wait for each other all but one may have to begin again, one after the other. */
const MOST_CONFLICTS = 5;
const FIRST_PAUSE_MS = 25;
const LONGEST_PAUSE_MS = 500;

export interface Repetition {
  /** For how long further attempts are begun while the database is away. */
  readonly patienceMs: number;
  /** Repeating is safe even where the attempt before may have happened, or may still. */
  readonly isIdempotent?: boolean;
}

/**
 * Runs `attempt`, and again from its beginning: at once where it was given up so that others could end, after growing pauses
 * with jitter where the database was away. Only what was surely undone is repeated, unless it is idempotent; `again` then says
 * that an attempt before may have happened. The last error is thrown when patience ends.
 */
export async function repeat<T>(
  { patienceMs, isIdempotent = false }: Repetition,
  attempt: (again: boolean) => Promise<T>,
): Promise<T> {
  const deadlineMs = performance.now() + patienceMs;
  let again = false;
  for (let round = 1; ; round += 1) {
    try {
      return await attempt(again);
    } catch (error) {
      const pauseMs = pauseAfter(error, round);
      const mayRepeat = error instanceof DatabaseUnavailable && (error.outcome === 'undone' || isIdempotent);
      if (!mayRepeat || pauseMs === undefined) throw error;
      if (!isConflict(error) && performance.now() + pauseMs > deadlineMs) throw error;
      again ||= error.outcome === 'unknown';
      await delay(pauseMs);
    }
  }
}

/** Undefined where another attempt has no better prospects. */
function pauseAfter(error: unknown, round: number): number | undefined {
  if (isConflict(error)) return round < MOST_CONFLICTS ? Math.random() * FIRST_PAUSE_MS : undefined;
  if (!isAway(error)) return undefined;
  return Math.min(FIRST_PAUSE_MS * 2 ** round, LONGEST_PAUSE_MS) * (0.5 + Math.random());
}
