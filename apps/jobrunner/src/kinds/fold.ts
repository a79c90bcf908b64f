import { foldManifestUses, foldUsage } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import { PostgresUsage } from '@entrepot/metadata';
import type { KindRoom } from './kind-room.js';

/** Adds up what was appended: what is stored, and when manifests were pulled. */
export function foldKind({ pool }: KindRoom): ScheduledKind {
  const usage = new PostgresUsage(pool);
  const kind: JobKind = {
    name: 'fold',
    mayRunTwice: true,
    async run({ signal }) {
      const usageChanges = await foldUsage(usage, signal);
      return { usageChanges, manifestUses: await foldManifestUses(usage, signal) };
    },
  };
  return { kind, schedule: '@every 1m' };
}
