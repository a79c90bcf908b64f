import type { ObjectPlace } from '@entrepot/blob-store';
import { isForeignLog } from '@entrepot/content';
import { PostgresRecoverySource, type DatabasePool } from '@entrepot/metadata';
import type { Findings } from './finding.js';

/** Whether the recovery log beside the objects is this database's: what was lost may be known by that log alone. */
export async function checkRecoveryLog(pool: DatabasePool, place: ObjectPlace, findings: Findings): Promise<void> {
  const own = await new PostgresRecoverySource(pool).position();
  if (own === undefined || own.driver === place.name) return;
  // A store that cannot be read has a finding of its own.
  if (!(await isForeignLog(place.recovery, own).catch(() => false))) return;
  findings.fail(
    `${place.name}: ${place.where} holds the recovery log of another database, and this one has none`,
    "where that database was lost, stop Entrepot and run 'entrepot rebuild' on an empty one; " +
      'where it is not needed any more, remove recovery/ from the storage',
  );
}
