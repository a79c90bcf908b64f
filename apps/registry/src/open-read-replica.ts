import { ReadReplica, type ServicePools } from '@entrepot/metadata';
import type { Logger } from '@entrepot/runtime';
import type { Pool } from 'pg';
import type { RegistryConfig } from './config.js';

/** Watches the replica that the settings name, so that it is asked only while it is known to be fresh. */
export function openReadReplica(
  { database }: RegistryConfig,
  pools: ServicePools,
  { pool, logger }: { pool: Pool; logger: Logger },
): ReadReplica | undefined {
  const replicaPool = pools.openReplica('registry-replica', database.lookupPoolSize);
  if (!replicaPool) return undefined;
  const replica = new ReadReplica(pool, replicaPool, database.maxReplicaLag);
  replica.start((isFresh, reason) =>
    isFresh
      ? logger.info('the read replica is fresh and answers reads')
      : logger.warn({ err: reason }, 'the read replica is not known to be fresh: the primary answers in its place'),
  );
  return replica;
}
