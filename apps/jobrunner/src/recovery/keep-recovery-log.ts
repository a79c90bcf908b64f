import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import type { ObjectPlace } from '@entrepot/blob-store';
import {
  relayRecovery,
  tendRecoveryLog,
  writeLastMarks,
  type RecoveryRoom,
  type RecoverySource,
} from '@entrepot/content';
import type { Logger, Metrics } from '@entrepot/runtime';

/** How far the log trails while all is well. */
const INTERVAL_MS = 2_000;
/** How often it is asked whether the log has grown too long. */
const TEND_INTERVAL_MS = 60_000;
/** How long a stop waits for the last records. */
const CLOSE_PATIENCE_MS = 8_000;

const FOREIGN =
  'the storage holds the recovery log of another database, which is left alone: where that database was lost, stop ' +
  "Entrepot and run 'entrepot rebuild' on an empty one; where it is not needed any more, remove recovery/ from the storage";

/** What the log is kept with. */
export interface RecoveryParts {
  readonly source: RecoverySource;
  /** Where new objects go: the log lies beside them. */
  readonly place: ObjectPlace;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Work that goes on until it is closed. */
export interface KeptLog {
  /** Writes what is still marked, as far as that takes no longer than a stop may. */
  close(): Promise<void>;
}

/** Writes to the recovery log what was marked, every two seconds, and a snapshot where the log needs one. */
export function keepRecoveryLog({ source, place, logger, metrics }: RecoveryParts): KeptLog {
  const room: RecoveryRoom = { source, log: place.recovery, lease: { leaseId: randomUUID(), driver: place.name } };
  const closing = new AbortController();
  const givingUp = new AbortController();
  let lagMs = 0;
  metrics.gauge(
    'recovery_lag_seconds',
    'Age of the oldest change that the recovery log does not have yet.',
    () => lagMs / 1000,
  );
  const report = failureReport(logger);
  const tend = tender({
    room,
    signal: givingUp.signal,
    onForeign: () => logger.error({ store: place.where }, FOREIGN),
  });
  const loop = async (): Promise<void> => {
    while (!closing.signal.aborted) {
      try {
        await tend();
        await relayRecovery(room);
        lagMs = (await source.oldestMarkMs()) ?? 0;
        report.succeeded();
      } catch (error) {
        report.failed(error);
      }
      await delay(INTERVAL_MS, undefined, { signal: closing.signal }).catch(() => undefined);
    }
  };
  const running = loop();
  return {
    async close() {
      closing.abort();
      const timer = setTimeout(() => givingUp.abort(), CLOSE_PATIENCE_MS);
      await Promise.race([running, delay(CLOSE_PATIENCE_MS, undefined, { ref: false })]);
      clearTimeout(timer);
      await writeLastMarks(room, CLOSE_PATIENCE_MS).catch((error: unknown) => report.failed(error));
    },
  };
}

interface Tending {
  readonly room: RecoveryRoom;
  readonly signal: AbortSignal;
  readonly onForeign: () => void;
}

/** Looks after the log at first, until nobody else does at that moment, and then now and again. */
function tender({ room, signal, onForeign }: Tending): () => Promise<void> {
  let isFirst = true;
  let nextMs = 0;
  return async () => {
    if (performance.now() < nextMs) return;
    const outcome = await tendRecoveryLog(room, { isFirst, signal });
    if (outcome === 'busy') return;
    if (outcome === 'foreign') onForeign();
    else isFirst = false;
    nextMs = performance.now() + TEND_INTERVAL_MS;
  };
}

/** Says once that it fails, and once that it works again: not every two seconds. */
function failureReport(logger: Logger) {
  let isFailing = false;
  return {
    failed(error: unknown): void {
      if (!isFailing) logger.warn({ err: error }, 'the recovery log cannot be written; trying again');
      isFailing = true;
    },
    succeeded(): void {
      if (isFailing) logger.info('the recovery log is written again');
      isFailing = false;
    },
  };
}
