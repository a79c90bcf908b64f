import type { SettingsSource } from '../standalone/settings.js';
import { withAdministration, type OpenAdministration } from './open-administration.js';
import { refuseOldSchema } from './refuse-old-schema.js';
import { withDatabase } from './with-database.js';

/** Runs an administration command's work on the database that the settings name. */
export function administer<T>(
  source: SettingsSource,
  work: (administration: OpenAdministration) => Promise<T>,
): Promise<T> {
  return withDatabase(source, async (url) => {
    await refuseOldSchema(url);
    return withAdministration(url, work);
  });
}
