import type { JobRun, ScheduledKind } from '@entrepot/jobs';
import { parseDuration } from '@entrepot/oci';
import type { Logger, Queues } from '@entrepot/runtime';

/** Runs each kind at the interval of its schedule. */
export function runAtIntervals(
  kinds: readonly ScheduledKind[],
  { queues, logger }: { readonly queues: Queues; readonly logger: Logger },
): void {
  for (const { kind, schedule } of kinds) {
    const intervalMs = parseDuration(schedule.replace('@every ', ''));
    if (intervalMs === undefined) continue;
    const run: Omit<JobRun, 'signal'> = {
      jobId: kind.name,
      parameters: {},
      state: undefined,
      log: (line) => logger.info({ kind: kind.name }, line),
      note: async () => {},
    };
    queues.everyInterval(kind.name, intervalMs, (signal) => kind.run({ ...run, signal }));
  }
}
