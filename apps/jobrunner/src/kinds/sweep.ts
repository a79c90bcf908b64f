import { paceBytes, readSweepState, sweepStores, type SweepState } from '@entrepot/content';
import type { JobKind, JobRun, ScheduledKind } from '@entrepot/jobs';
import { PostgresObjectLedger, PostgresQuarantine, PostgresSweepCandidates } from '@entrepot/metadata';
import { isDryRun } from './dry-run.js';
import type { KindRoom } from './kind-room.js';
import { removeObjects } from './remove-objects.js';

/** Objects that are compared in a second: a store that lists faster has other things to do as well. */
const DEFAULT_RATE = 5_000;
const NOTE_INTERVAL_MS = 1_000;

/** Compares the stores with the rows, both ways. */
export function sweepKind(room: KindRoom): ScheduledKind {
  const { config, pool, places, metrics } = room;
  const doomed = metrics.counter('sweep_doomed_total', 'Objects that no row knew and that a sweep doomed.', []);
  const kind: JobKind = {
    name: 'sweep',
    mayRunTwice: true,
    async run(job) {
      const isDry = isDryRun(job.parameters);
      const pace = paceBytes(readRate(job), job.signal);
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
        note: noteNowAndThen(job),
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

/** A run that takes over sees again what was not noted, which changes nothing. */
function noteNowAndThen(job: JobRun): (state: SweepState) => Promise<void> {
  let notedAtMs = 0;
  return async (state) => {
    if (performance.now() - notedAtMs < NOTE_INTERVAL_MS) return;
    notedAtMs = performance.now();
    await job.note({ done: state.tally.objectsSeen, unit: 'objects', state });
  };
}

function readRate({ parameters }: JobRun): number {
  const rate = Number(parameters['rate'] ?? DEFAULT_RATE);
  if (Number.isFinite(rate) && rate > 0) return rate;
  throw new Error('--param rate: must be a number of objects per second');
}
