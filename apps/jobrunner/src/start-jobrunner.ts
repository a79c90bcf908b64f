import 'reflect-metadata';
import { openBlobStore } from '@entrepot/blob-store';
import { PostgresPurge, createPool } from '@entrepot/metadata';
import { createNestLog, createQueues, type RunningService, type ServiceResources } from '@entrepot/runtime';
import { NestFactory } from '@nestjs/core';
import type { JobrunnerConfig } from './config.js';
import { jobrunnerModule } from './jobrunner.module.js';
import { PurgeRoom } from './storage-purge.js';

/** Work in the background. Queues only say that it is time to look; Postgres says at what. */
export async function startJobrunner(config: JobrunnerConfig, resources: ServiceResources): Promise<RunningService> {
  const { logger, metrics, databaseUrl } = resources;
  const { database } = config;
  const pool = createPool(
    {
      url: databaseUrl,
      role: 'jobrunner',
      poolSize: database.poolSize,
      statementTimeoutMs: database.statementTimeout,
      lockTimeoutMs: database.lockTimeout,
    },
    (error) => logger.warn({ err: error, pool: 'jobrunner' }, 'a database connection was lost'),
  );
  metrics.poolGauge('jobrunner', () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }));
  const store = await openBlobStore(config.storage, resources.dataDirectory);
  const queues = createQueues({
    service: 'jobrunner',
    logger,
    redis: resources.redis,
    connectionString: databaseUrl,
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
      await pool.end();
    },
  };
}
