import { purgeUploads } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import { isDryRun } from './dry-run.js';
import { every } from './every.js';
import type { KindRoom } from './kind-room.js';
import { removeObjects } from './remove-objects.js';

/** Ends uploads that nobody finishes; their bytes go in the same run. */
export function purgeUploadsKind(room: KindRoom): ScheduledKind {
  const { config, purge, metrics } = room;
  const ended = metrics.counter('uploads_ended_total', 'Abandoned uploads that were ended.', []);
  const kind: JobKind = {
    name: 'purge-uploads',
    mayRunTwice: true,
    async run(job) {
      const isDry = isDryRun(job.parameters);
      const log = (line: string) => job.log(line);
      const note = (uploads: number) => job.note({ done: uploads, unit: 'uploads' });
      const purged = await purgeUploads({ purge, ttlMs: config.uploads.ttl, isDry, signal: job.signal, log, note });
      if (isDry) return { dryRun: true, ...purged };
      ended.inc(purged.uploadsEnded);
      return { ...purged, ...(await removeObjects(room, job)) };
    },
  };
  return { kind, schedule: every(config.uploads.purgeInterval) };
}
