import { randomUUID } from 'node:crypto';
import { writeLastMarks } from '@entrepot/content';
import { PostgresRecoverySource, createPool } from '@entrepot/metadata';
import { ownerSettings } from '../administration/open-administration.js';
import type { SettingsSource } from '../standalone/settings.js';
import { findPlace, readStorageSettings } from '../storage/storage-settings.js';

const PATIENCE_MS = 5_000;

/**
 * Writes to the recovery log what a command changed while no Entrepot runs that would. Never rejects: what could not be
 * written stays marked for the next start.
 */
export async function writeOfflineMarks(source: SettingsSource, databaseUrl: string): Promise<void> {
  const pool = createPool({ ...ownerSettings(databaseUrl), poolSize: 1 });
  try {
    const marks = new PostgresRecoverySource(pool);
    if ((await marks.oldestMarkMs()) === undefined) return;
    const settings = readStorageSettings(source);
    const { name: driver, recovery: log } = await findPlace(settings.storage.driver, settings);
    await writeLastMarks({ source: marks, log, lease: { leaseId: randomUUID(), driver } }, PATIENCE_MS);
  } catch {
    // The tables may be of an older version, or the store away.
  } finally {
    await pool.end();
  }
}
