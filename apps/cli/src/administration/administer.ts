import type { SettingsSource } from '../standalone/settings.js';
import { withAdministration, type OpenAdministration } from './open-administration.js';
import { refuseOldSchema } from './refuse-old-schema.js';
import { ringBell } from './ring-bell.js';
import { withDatabase } from './with-database.js';

/** Runs an administration command's work on the database that the settings name, and tells the data planes of its changes. */
export async function administer<T>(
  source: SettingsSource,
  work: (administration: OpenAdministration) => Promise<T>,
): Promise<T> {
  let hasChanged = false;
  try {
    return await withDatabase(source, async (url) => {
      await refuseOldSchema(url);
      return withAdministration(url, work, () => (hasChanged = true));
    });
  } finally {
    if (hasChanged) await ringBell(source, 'access.changed');
  }
}
