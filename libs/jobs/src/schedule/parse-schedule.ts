import { parseDuration } from '@entrepot/oci';
import { parseCron } from './cron.js';

/** When something is done again by itself. */
export type Schedule =
  | { readonly form: 'off' }
  | { readonly form: 'every'; readonly intervalMs: number }
  | { readonly form: 'cron'; readonly next: (afterMs: number) => number | undefined };

/** A text that is no schedule; the message says what would be. */
export class ScheduleError extends Error {
  override readonly name = 'ScheduleError';
}

const MIN_INTERVAL_MS = 100;
const EXPECTED =
  "it must be cron with five fields or six (seconds first), @hourly, @daily, @weekly, @monthly, '@every 30s', or off; times are UTC";

/** Reads a schedule. Throws `ScheduleError`. */
export function parseSchedule(text: string): Schedule {
  const spec = text.trim().replace(/\s+/g, ' ');
  if (spec === 'off') return { form: 'off' };
  if (spec.startsWith('@every ')) return { form: 'every', intervalMs: parseInterval(spec.slice('@every '.length)) };
  const next = parseCron(spec);
  if (next === undefined) throw new ScheduleError(`'${text}' is no schedule: ${EXPECTED}`);
  if (next(Date.UTC(2000, 0)) === undefined) throw new ScheduleError(`'${text}' never comes`);
  return { form: 'cron', next };
}

/** The first time after `afterMs`; undefined where there is none. Intervals are counted from `slotMs`, the time before. */
export function nextFiring(schedule: Schedule, afterMs: number, slotMs = afterMs): number | undefined {
  switch (schedule.form) {
    case 'off':
      return undefined;
    case 'every': {
      const passed = Math.floor((afterMs - slotMs) / schedule.intervalMs);
      return slotMs + (passed + 1) * schedule.intervalMs;
    }
    case 'cron':
      return schedule.next(afterMs);
  }
}

/** Several units may follow each other: `1h30m`. */
function parseInterval(text: string): number {
  const parts = /^(\d+(ms|s|m|h|d))+$/.test(text) ? text.match(/\d+(ms|s|m|h|d)/g) : null;
  const intervalMs = (parts ?? []).reduce((sum, part) => sum + (parseDuration(part) ?? Number.NaN), 0);
  if (intervalMs >= MIN_INTERVAL_MS && Number.isSafeInteger(intervalMs)) return intervalMs;
  throw new ScheduleError(`'@every ${text}' is no schedule: it needs a duration such as 30s or 1h30m, at least 100ms`);
}
