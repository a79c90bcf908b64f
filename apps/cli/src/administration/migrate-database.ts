import { ensureSystemNamespaces } from '@entrepot/access';
import { migrate, PostgresAccessUnitOfWork, withDataSource } from '@entrepot/metadata';
import { migrateQueues } from '@entrepot/runtime';
import { ownerSettings } from './open-administration.js';

/**
 * Brings everything in the database up to date: our tables, those of the queues, and what every installation has from
 * the start. Safe to repeat, and to run in several processes at once. Returns the names of the migrations that ran.
 */
export async function migrateDatabase(url: string): Promise<string[]> {
  const ran = await migrate(url);
  await migrateQueues({ connectionString: url, roles: ['entrepot_jobrunner'] });
  await withDataSource(ownerSettings(url), (source) => ensureSystemNamespaces(new PostgresAccessUnitOfWork(source)));
  return ran;
}
