import { join } from 'node:path';
import { findPlaces, type ObjectPlace } from '@entrepot/blob-store';
import { gcSection } from '@entrepot/content';
import { DatabaseUnavailable, createPool, detectPooler } from '@entrepot/metadata';
import { loadConfig } from '@entrepot/runtime';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { withDatabase } from '../administration/with-database.js';
import { CommandFailure, EXIT_CODES } from '../exit-codes.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';
import { watchStopSignals } from '../standalone/stop-signals.js';
import { readStorageSettings, type StorageSettings } from '../storage/storage-settings.js';
import { Check, type Fsck, type FsckOutput } from './check.js';

const POOL_SIZE = 5;
/** Nobody waits for an answer, and whole tables are read. */
const PATIENT = { statementTimeoutMs: 600_000, lockTimeoutMs: 10_000, patienceMs: 30_000 };

/**
 * Compares database and stores both ways, beside whatever runs, and prints a line for each finding. Changes nothing unless
 * it `repairs`. Throws `CommandFailure`: `refused` where there were findings, `blind` where it could not look.
 */
export async function fsck(source: SettingsSource, wanted: Fsck, output: FsckOutput): Promise<void> {
  const settings = readStorageSettings(source);
  const { gc } = loadConfig([gcSection], { ...source, known: standaloneSections });
  const stop = watchStopSignals(() => process.exit(EXIT_CODES.forced));
  const abort = new AbortController();
  void stop.stopped.then(() => abort.abort(new CommandFailure('forced', 'stopped; nothing is left half done')));
  try {
    await orBlind(() =>
      withDatabase(source, async (url) => {
        await refuseOldSchema(url);
        const places = await findPlaces(settings.storage, settings.dataDirectory);
        const pool = createPool({
          url,
          role: 'jobrunner',
          poolSize: POOL_SIZE,
          pooler: await detectPooler(url),
          ...PATIENT,
        });
        try {
          await new Check({
            pool,
            places,
            ...missingDirectory(settings, places),
            gc,
            wanted,
            output,
            signal: abort.signal,
          }).run();
        } finally {
          await pool.end();
        }
      }),
    );
  } finally {
    stop.ignore();
  }
}

function missingDirectory({ storage, dataDirectory }: StorageSettings, places: readonly ObjectPlace[]) {
  const isThere = storage.driver !== 'filesystem' || places.some(({ name }) => name === 'filesystem');
  return isThere ? {} : { missingDirectory: join(dataDirectory, 'storage', 'objects') };
}

async function orBlind(work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    const isAway = error instanceof CommandFailure && error.reason === 'unavailable';
    if (!isAway && !(error instanceof DatabaseUnavailable)) throw error;
    const reason = error.cause instanceof Error ? `${error.message} (${error.cause.message})` : error.message;
    throw new CommandFailure('blind', reason, { cause: error });
  }
}
