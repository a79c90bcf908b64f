import { randomUUID } from 'node:crypto';
import type { ObjectPlace } from '@entrepot/blob-store';
import { writeLastMarks } from '@entrepot/content';
import { PostgresRecoverySource } from '@entrepot/metadata';
import type { Logger } from '@entrepot/runtime';
import type { Pool } from 'pg';

/** How long a stop waits for it. */
const PATIENCE_MS = 5_000;

/**
 * Writes what the last requests changed to the recovery log, once no request is left: the jobrunner, which does so all the
 * time, may have stopped before. Never rejects; what could not be written stays marked.
 */
export async function writeRecoveryLog(pool: Pool, place: ObjectPlace, logger: Logger): Promise<void> {
  const room = {
    source: new PostgresRecoverySource(pool),
    log: place.recovery,
    lease: { leaseId: randomUUID(), driver: place.name },
  };
  try {
    await writeLastMarks(room, PATIENCE_MS);
  } catch (error) {
    logger.warn({ err: error }, 'the last changes are not in the recovery log yet');
  }
}
