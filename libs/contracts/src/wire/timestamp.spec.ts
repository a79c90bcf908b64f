import { expect, it } from 'vitest';
import { fromTimestamp, toTimestamp } from './timestamp.js';

it.each(['1970-01-01T00:00:00.000Z', '2026-11-21T19:30:00.250Z', '1969-12-31T23:59:59.750Z'])(
  'keeps %s to the millisecond',
  (text) => {
    const timestamp = toTimestamp(new Date(text));
    expect(timestamp.nanos).toBeGreaterThanOrEqual(0);
    expect(fromTimestamp(timestamp).toISOString()).toBe(text);
  },
);
