import { findPlaces, joinPlaces, openPlace, type ObjectPlace, type StorageDriver } from '@entrepot/blob-store';
import { createPace, migrateObjects, newTally, type MigrationTally } from '@entrepot/content';
import { PostgresObjectMoves, createPool, detectPooler } from '@entrepot/metadata';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure, EXIT_CODES } from '../exit-codes.js';
import type { SettingsSource } from '../standalone/settings.js';
import { watchStopSignals } from '../standalone/stop-signals.js';
import { formatBytes, formatCount, formatProgress, formatSeconds, progressOf } from './migration-progress.js';
import { missingSettings, readStorageSettings, type StorageSettings } from './storage-settings.js';

const PROGRESS_INTERVAL_MS = 5_000;
const POOL_SIZE = 5;
/** Nobody waits for an answer: a restart of Postgres is no reason to give up. */
const PATIENT = { statementTimeoutMs: 60_000, lockTimeoutMs: 10_000, patienceMs: 60_000 };
const SHOWN_FAILURES = 20;
const MIN_KEEP_MS = 3_600_000;

export interface MigrateStorage {
  readonly to: StorageDriver;
  /** Undefined: as fast as it goes. */
  readonly bytesPerSecond?: number;
  /** How long objects stay in their old store; default is an hour, or twice as long as signed URLs are good for. */
  readonly keepMs?: number;
  /** Print JSON, one object per line. */
  readonly json?: true;
}

interface Command {
  readonly wanted: MigrateStorage;
  readonly settings: StorageSettings;
  readonly write: (text: string) => void;
}

/**
 * Moves the objects of all blobs to one store, beside services that run, and shows how far it is. Throws `CommandFailure`
 * where settings are missing, where it was stopped, and where something could not be moved; begun again, it goes on.
 */
export async function migrateStorage(
  source: SettingsSource,
  wanted: MigrateStorage,
  write: (text: string) => void,
): Promise<void> {
  const settings = readStorageSettings(source);
  await refuseUnknown(wanted.to, settings);
  const command = { wanted, settings, write };
  await withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    const target = await openPlace(wanted.to, settings.storage, settings.dataDirectory);
    const pooler = await detectPooler(url);
    const pool = createPool({ url, role: 'jobrunner', poolSize: POOL_SIZE, pooler, ...PATIENT });
    try {
      await migrateTo(target, new PostgresObjectMoves(pool), command);
    } finally {
      await pool.end();
    }
  });
}

/** A directory is made only where it was named, or belongs to an Entrepot that is there. */
async function refuseUnknown(driver: StorageDriver, settings: StorageSettings): Promise<void> {
  const { storage, dataDirectory, hasDataDirectory } = settings;
  if (driver === 'filesystem' && hasDataDirectory) return;
  const places = await findPlaces(storage, dataDirectory);
  if (!places.some(({ name }) => name === driver)) throw missingSettings(driver, settings);
}

async function migrateTo(target: ObjectPlace, moves: PostgresObjectMoves, command: Command): Promise<void> {
  const { wanted, settings, write } = command;
  const total = await moves.countMisplaced(target.keyPattern);
  const stop = watchStopSignals(() => process.exit(EXIT_CODES.forced));
  const abort = new AbortController();
  void stop.stopped.then(() => abort.abort(new CommandFailure('forced', 'stopped; run it again to go on')));
  const pace = createPace(wanted.bytesPerSecond ?? 0, abort.signal);
  const source = joinPlaces(target, await findPlaces(settings.storage, settings.dataDirectory));
  const keepMs = wanted.keepMs ?? Math.max(MIN_KEEP_MS, 2 * settings.storage.redirectExpiry);
  const room = { moves, source, target: target.store, keepMs, signal: abort.signal, pace };
  const repeats = settings.storage.driver === wanted.to;
  if (!repeats && !wanted.json) write(`pushes go on elsewhere: set ENTREPOT_STORAGE_DRIVER=${wanted.to} for them\n`);
  const tally = newTally();
  const progress = showProgress(command, tally, total);
  try {
    await migrateObjects({ room, keyPattern: target.keyPattern, repeats }, tally);
  } finally {
    progress.end();
    stop.ignore();
  }
  await tellTheEnd(command, tally, { moves, keyPattern: target.keyPattern, startedMs: progress.startedMs });
}

function showProgress(
  { wanted, write }: Command,
  tally: MigrationTally,
  total: { readonly blobs: number; readonly sizeBytes: number },
) {
  const startedMs = performance.now();
  const show = (): void => {
    const progress = progressOf(tally, total, performance.now() - startedMs);
    write(wanted.json ? `${JSON.stringify(progress)}\n` : formatProgress(progress));
  };
  const timer = setInterval(show, PROGRESS_INTERVAL_MS);
  return {
    startedMs,
    end() {
      clearInterval(timer);
      show();
    },
  };
}

/** What was done, what could not be, and what still ties the installation to other stores. */
async function tellTheEnd(
  { wanted, write }: Command,
  tally: MigrationTally,
  { moves, keyPattern, startedMs }: { moves: PostgresObjectMoves; keyPattern: string; startedMs: number },
): Promise<void> {
  const { blobs } = await moves.countMisplaced(keyPattern);
  const { uploads, doomed } = await moves.countBound(keyPattern);
  const failures = tally.failures.map(({ blob, error }) => ({ ...blob, reason: (error as Error).message }));
  if (wanted.json) write(`${JSON.stringify({ elsewhere: { blobs, uploads, doomed }, failures })}\n`);
  else {
    const took = formatSeconds(Math.ceil((performance.now() - startedMs) / 1000));
    write(
      `moved ${formatCount(tally.movedBlobs, 'blob')} (${formatBytes(tally.movedBytes)}) to ${wanted.to} in ${took}\n`,
    );
    const left = [formatCount(blobs, 'blob'), formatCount(uploads, 'upload'), formatCount(doomed, 'doomed object')];
    write(`elsewhere: ${left.join(', ')}\n`);
    if (blobs + uploads + doomed > 0) write('keep the settings of both stores until there is nothing\n');
  }
  if (tally.failedBlobs === 0) return;
  const details = failures.slice(0, SHOWN_FAILURES).map(({ digest, reason }) => `${digest}: ${reason}`);
  throw new CommandFailure('unavailable', `${formatCount(tally.failedBlobs, 'blob')} could not be moved`, { details });
}
