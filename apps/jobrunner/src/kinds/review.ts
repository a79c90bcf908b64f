import { removeDoomedObjects } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import { every } from './every.js';
import type { KindRoom } from './kind-room.js';

/** Removes what nothing needs any more. */
export function reviewKind({ config, purge, store, metrics }: KindRoom): ScheduledKind {
  const removed = metrics.counter('objects_removed_total', 'Objects that were removed from the store.', []);
  const kind: JobKind = {
    name: 'review',
    mayRunTwice: true,
    async run({ signal, log }) {
      const { objects, failures } = await removeDoomedObjects({
        purge,
        store,
        ratePerSecond: config.gc.removalRate,
        signal,
      });
      removed.inc(objects);
      for (const error of failures) log(`an object could not be removed and is tried again: ${String(error)}`);
      return { objectsRemoved: objects, failures: failures.length };
    },
  };
  return { kind, schedule: every(config.gc.interval) };
}
