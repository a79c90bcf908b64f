import { isKindName, KINDS, parseSchedule } from '@entrepot/jobs';
import { createLogger, createMetrics } from '@entrepot/runtime';
import { expect, it } from 'vitest';
import { createKinds } from './create-kinds.js';
import type { KindRoom } from './kind-room.js';

it('makes every kind that the command line knows, each with a schedule that can be read', () => {
  const durations = { interval: 60_000, scrubRate: 0, removalRate: 0, grace: 0, undo: 0, untagged: 0, orphans: 0 };
  const config = { gc: durations, uploads: { ttl: 1_000, purgeInterval: 3_600_000 } };
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
  const room = { config, places: [], logger, metrics: createMetrics() } as unknown as KindRoom;
  const kinds = createKinds(room);
  const names = kinds.map(({ kind }) => kind.name);
  expect(names.toSorted()).toEqual(Object.keys(KINDS).toSorted());
  expect(names.every(isKindName)).toBe(true);
  for (const { schedule } of kinds) expect(parseSchedule(schedule)).toBeDefined();
});
