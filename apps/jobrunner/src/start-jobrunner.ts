import 'reflect-metadata';
import { openBlobStore } from '@entrepot/blob-store';
import { PostgresPurge, openPools } from '@entrepot/metadata';
import {
  QUEUE_CONNECTIONS,
  createNestLog,
  createQueues,
  type RunningService,
  type ServiceResources,
} from '@entrepot/runtime';
import { NestFactory } from '@nestjs/core';
import type { JobrunnerConfig } from './config.js';
import { jobrunnerModule } from './jobrunner.module.js';
import { PurgeRoom } from './storage-purge.js';

/** Work in the background. Queues only say that it is time to look; Postgres says at what. */
export async function startJobrunner(config: JobrunnerConfig, resources: ServiceResources): Promise<RunningService> {
  const { logger, metrics } = resources;
  const { database } = config;
  const pools = openPools('jobrunner', database, resources);
  const pool = pools.open('jobrunner', database.poolSize);
  pools.announce(config.redis.url === undefined ? { 'jobrunner-queue': QUEUE_CONNECTIONS } : {});
  const store = await openBlobStore(config.storage, resources.dataDirectory);
  const queues = createQueues({
    service: 'jobrunner',
    logger,
    redis: resources.redis,
    connectionString: pools.session.url,
  });
  const letObjectsBe = resources.bells.onRing('storage.doomed', () => queues.wake('storage.purge'));
  const { uploads, gc } = config;
  const purge = new PurgeRoom({ uploads, gc, queues, purge: new PostgresPurge(pool), store, logger, metrics });
  const app = await NestFactory.createApplicationContext(jobrunnerModule(purge), { logger: createNestLog(logger) });
  return {
    mounts: [],
    checks: { database: () => pool.query('SELECT 1'), storage: () => store.check() },
    isReady: () => true,
    async close() {
      letObjectsBe();
      await queues.close();
      await app.close();
      await pools.end();
    },
  };
}
