import { purgeUploads, removeDoomedObjects } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import { every } from './every.js';
import type { KindRoom } from './kind-room.js';

/** Ends uploads that nobody finishes; their bytes go in the same run. */
export function purgeUploadsKind({ config, purge, store, metrics }: KindRoom): ScheduledKind {
  const ended = metrics.counter('uploads_ended_total', 'Abandoned uploads that were ended.', []);
  const kind: JobKind = {
    name: 'purge-uploads',
    mayRunTwice: true,
    async run({ signal, log }) {
      const uploads = await purgeUploads(purge, config.uploads.ttl, signal);
      ended.inc(uploads);
      const { objects, failures } = await removeDoomedObjects({
        purge,
        store,
        ratePerSecond: config.gc.removalRate,
        signal,
      });
      for (const error of failures) log(`an object could not be removed and is tried again: ${String(error)}`);
      return { uploadsEnded: uploads, objectsRemoved: objects, failures: failures.length };
    },
  };
  return { kind, schedule: every(config.uploads.purgeInterval) };
}
