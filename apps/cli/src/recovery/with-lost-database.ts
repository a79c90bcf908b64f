import { databaseSection } from '@entrepot/metadata';
import { createLogger, loadConfig, logSection } from '@entrepot/runtime';
import { directUrl } from '../administration/direct-url.js';
import { openDataDirectory } from '../standalone/data-directory.js';
import { startDatabase } from '../standalone/database.js';
import { dataSection } from '../standalone/sections.js';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';

/**
 * Runs `work` on the database that the settings name: the external one, or the embedded one, made anew where its
 * directory, or the whole data directory, is gone. Throws `CommandFailure` where an Entrepot runs on the data directory.
 */
export async function withLostDatabase<T>(source: SettingsSource, work: (url: string) => Promise<T>): Promise<T> {
  const config = loadConfig([databaseSection, dataSection, logSection], { ...source, known: standaloneSections });
  const external = directUrl(config.database);
  if (external !== undefined) return work(external);
  const directory = openDataDirectory({ dir: config.data.dir, minFreeBytes: config.data.minFree });
  try {
    const database = await startDatabase(directory.paths.postgres, createLogger(config.log, { service: 'cli' }));
    try {
      return await work(database.url);
    } finally {
      await database.close();
    }
  } finally {
    directory.release();
  }
}
