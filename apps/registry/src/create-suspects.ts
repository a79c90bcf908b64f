import { SuspectObjects, type BlobFault, type BlobStore } from '@entrepot/content';
import { PostgresQuarantine, type DatabasePool } from '@entrepot/metadata';
import type { Logger, Metrics } from '@entrepot/runtime';

interface Surroundings {
  readonly pool: DatabasePool;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

const FAULTS = ['missing', 'short', 'corrupt'] as const satisfies readonly BlobFault[];

/** What becomes of objects that could not be read: looked at again, and where they are at fault, said so to everybody. */
export function createSuspects(store: BlobStore, { pool, logger, metrics }: Surroundings): SuspectObjects {
  const quarantined = metrics.counter<'fault'>(
    'blobs_quarantined_total',
    'Blobs that were put into quarantine, because a read found their object at fault.',
    ['fault'],
  );
  for (const fault of FAULTS) quarantined.inc({ fault }, 0);
  return new SuspectObjects({
    store,
    quarantine: new PostgresQuarantine(pool),
    onQuarantined({ digest, objectKey }, fault) {
      quarantined.inc({ fault });
      logger.error(
        { digest, objectKey, fault },
        'a blob is in quarantine: its object is at fault, and it counts as not held until it is pushed again',
      );
    },
    onUndecided({ digest, objectKey }, error) {
      logger.warn({ digest, objectKey, err: error }, 'it could not be found out whether an object is at fault');
    },
  });
}
