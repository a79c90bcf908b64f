import { setTimeout as delay } from 'node:timers/promises';
import { createPace, readSweepState, sweepStores, type RecoverySource, type SweepState } from '@entrepot/content';
import type { JobKind, ScheduledKind } from '@entrepot/jobs';
import {
  PostgresObjectLedger,
  PostgresQuarantine,
  PostgresRecoverySource,
  PostgresSweepCandidates,
} from '@entrepot/metadata';
import { isDryRun } from './dry-run.js';
import type { KindRoom } from './kind-room.js';
import { noteNowAndThen } from './note-now-and-then.js';
import { removeObjects } from './remove-objects.js';

/** Objects that are compared in a second: a store that lists faster has other things to do as well. */
const DEFAULT_RATE = 5_000;
const LOG_PATIENCE_MS = 15_000;
const LOG_PAUSE_MS = 250;

/** Compares the stores with the rows, both ways. */
export function sweepKind(room: KindRoom): ScheduledKind {
  const { config, pool, places, metrics } = room;
  const doomed = metrics.counter('sweep_doomed_total', 'Objects that no row knew and that a sweep doomed.', []);
  const kind: JobKind = {
    name: 'sweep',
    mayRunTwice: true,
    async run(job) {
      const isDry = isDryRun(job.parameters);
      if (!isDry) await untilLogged(new PostgresRecoverySource(pool), job.signal);
      const pace = createPace(Number(job.parameters['rate'] ?? DEFAULT_RATE), job.signal);
      const swept = {
        ledger: new PostgresObjectLedger(pool),
        candidates: new PostgresSweepCandidates(pool),
        quarantine: new PostgresQuarantine(pool),
        signal: job.signal,
        run: job.jobId,
        ageMs: config.gc.sweepAge,
        isDry,
        pace,
        log: (line: string) => job.log(line),
        note: noteNowAndThen(job, (state: SweepState) => ({ done: state.tally.objectsSeen, unit: 'objects', state })),
      };
      const {
        knownObjects: _known,
        doubted: _doubted,
        ...tally
      } = await sweepStores(swept, places, readSweepState(job.state));
      if (isDry) return { dryRun: true, ...tally };
      doomed.inc(tally.objectsDoomed);
      return { ...tally, ...(await removeObjects(room, job)) };
    },
  };
  return { kind, schedule: '@daily' };
}

/**
 * A database that was lost, and begun anew over its old storage, knows none of the objects: until its own recovery log lies
 * there, or a rebuild has read the old one, none of them is doomed. The log is written within moments of the first start.
 */
async function untilLogged(source: RecoverySource, signal: AbortSignal): Promise<void> {
  for (const deadlineMs = performance.now() + LOG_PATIENCE_MS; performance.now() < deadlineMs;) {
    if (await source.hasLog()) return;
    await delay(LOG_PAUSE_MS, undefined, { signal });
  }
  throw new Error(
    'the storage has no recovery log of this database, and its objects may be those of another one; see the log',
  );
}
