import { describe, expect, it } from 'vitest';
import { nextFiring, parseSchedule, ScheduleError } from './parse-schedule.js';

const at = (text: string) => Date.parse(text);
const next = (spec: string, after: string) => {
  const firing = nextFiring(parseSchedule(spec), at(after));
  return firing === undefined ? undefined : new Date(firing).toISOString();
};

describe('parseSchedule', () => {
  it.each([
    ['0 3 * * *', '2026-01-05T02:59:59Z', '2026-01-05T03:00:00.000Z'],
    ['30 0 3 * * *', '2026-01-05T03:00:00Z', '2026-01-05T03:00:30.000Z'],
    ['*/5 * * * * *', '2026-01-05T03:00:00Z', '2026-01-05T03:00:05.000Z'],
    ['@hourly', '2026-01-05T03:00:00Z', '2026-01-05T04:00:00.000Z'],
    ['@daily', '2026-01-05T03:00:00Z', '2026-01-06T00:00:00.000Z'],
    ['@weekly', '2026-01-05T03:00:00Z', '2026-01-11T00:00:00.000Z'],
    ['  0   0 1 *  * ', '2026-01-05T00:00:00Z', '2026-02-01T00:00:00.000Z'],
    // Summer time begins and ends elsewhere: here it is always UTC.
    ['0 30 2 * * *', '2026-03-29T00:00:00Z', '2026-03-29T02:30:00.000Z'],
  ])('%s after %s', (spec, after, expected) => {
    expect(next(spec, after)).toBe(expected);
  });

  it('counts intervals from the last time, and makes up for nothing', () => {
    const schedule = parseSchedule('@every 1h30m');
    const slot = at('2026-01-05T00:00:00Z');
    expect(nextFiring(schedule, slot)).toBe(at('2026-01-05T01:30:00Z'));
    expect(nextFiring(schedule, at('2026-01-05T09:00:00Z'), slot)).toBe(at('2026-01-05T10:30:00Z'));
    expect(nextFiring(schedule, at('2026-01-05T09:00:01Z'), slot)).toBe(at('2026-01-05T10:30:00Z'));
  });

  it('never fires where it is off', () => {
    expect(next('off', '2026-01-05T00:00:00Z')).toBeUndefined();
  });

  it.each([
    '',
    'daily',
    '@reboot',
    '@every',
    '@every 5',
    '@every 1ms',
    '* * * *',
    '* * * * * * *',
    '60 * * * *',
    '2026-01-05T00:00:00Z',
    '0 0 30 2 *',
  ])('refuses %j', (spec) => {
    expect(() => parseSchedule(spec)).toThrow(ScheduleError);
  });
});
