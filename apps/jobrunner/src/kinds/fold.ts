import { foldManifestUses, foldUsage } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import { PostgresUsage } from '@entrepot/metadata';
import { isDryRun } from './dry-run.js';
import type { KindRoom } from './kind-room.js';

/** Adds up what was appended: what is stored, and when manifests were pulled. */
export function foldKind({ pool }: KindRoom): ScheduledKind {
  const usage = new PostgresUsage(pool);
  const kind: JobKind = {
    name: 'fold',
    mayRunTwice: true,
    async run({ signal, note, parameters }) {
      if (isDryRun(parameters)) return { dryRun: true, ...(await usage.pending()) };
      let done = 0;
      const onFolded = (changes: number) => note({ done: (done += changes), unit: 'changes' });
      const usageChanges = await foldUsage(usage, signal, onFolded);
      return { usageChanges, manifestUses: await foldManifestUses(usage, signal, onFolded) };
    },
  };
  return { kind, schedule: '@every 1m' };
}
