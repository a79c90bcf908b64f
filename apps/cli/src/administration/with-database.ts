import { existsSync } from 'node:fs';
import { connectionUrl, readConnection } from '@entrepot/embedded-postgres';
import { databaseSection } from '@entrepot/metadata';
import { createLogger, loadConfig, logSection } from '@entrepot/runtime';
import { CommandFailure } from '../exit-codes.js';
import { writeOfflineMarks } from '../recovery/write-offline-marks.js';
import { dataPaths, openDataDirectory, type DataDirectory, type DataPaths } from '../standalone/data-directory.js';
import { startDatabase } from '../standalone/database.js';
import { dataSection } from '../standalone/sections.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';
import { directUrl } from './direct-url.js';

/**
 * Runs `work` on the database that the settings name: the external one, the embedded one of an `entrepot start` that
 * runs, or else that of the data directory, started for as long as the work takes.
 */
export async function withDatabase<T>(source: SettingsSource, work: (url: string) => Promise<T>): Promise<T> {
  const config = loadConfig([databaseSection, dataSection, logSection], { ...source, known: standaloneSections });
  const external = directUrl(config.database);
  if (external !== undefined) return work(external);
  const paths = dataPaths(config.data.dir);
  if (!existsSync(paths.lock)) {
    const advice = "run 'entrepot start' there first, or set ENTREPOT_DATA_DIR or ENTREPOT_DATABASE_URL";
    throw new CommandFailure('unavailable', `there is no Entrepot in ${paths.top}; ${advice}`);
  }
  const directory = takeUnlessOwned(paths);
  if (directory === undefined) return work(urlOfRunning(paths));
  try {
    const database = await startDatabase(paths.postgres, createLogger(config.log, { service: 'cli' }));
    try {
      const result = await work(database.url);
      await writeOfflineMarks(source, database.url);
      return result;
    } finally {
      await database.close();
    }
  } finally {
    directory.release();
  }
}

/** Undefined where an Entrepot runs. */
function takeUnlessOwned(paths: DataPaths): DataDirectory | undefined {
  try {
    return openDataDirectory({ dir: paths.top, minFreeBytes: 0 });
  } catch (error) {
    if (error instanceof CommandFailure && error.reason === 'owned') return undefined;
    throw error;
  }
}

function urlOfRunning(paths: DataPaths): string {
  const connection = readConnection(paths.postgres);
  if (connection !== undefined) return connectionUrl(connection);
  throw new CommandFailure('unavailable', `the Entrepot of ${paths.top} is starting or stopping; try again`);
}
