import { openBlobStore } from '@entrepot/blob-store';
import { purgeStorage, type BlobStore } from '@entrepot/content';
import { PostgresPurge, createPool, type DatabaseSettings } from '@entrepot/metadata';
import { createQueues, type RunningService, type ServiceResources } from '@entrepot/runtime';
import type { Pool } from 'pg';
import type { JobrunnerConfig } from './config.js';

/** Work in the background. Queues only say that it is time to look; Postgres says at what. */
export async function startJobrunner(config: JobrunnerConfig, resources: ServiceResources): Promise<RunningService> {
  const { logger, metrics, databaseUrl } = resources;
  const settings = databaseSettings(config, databaseUrl);
  const pool = createPool(settings, (error) =>
    logger.warn({ err: error, pool: 'jobrunner' }, 'a database connection was lost'),
  );
  metrics.poolGauge('jobrunner', () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }));
  const store = await openBlobStore(config.storage, resources.dataDirectory);
  const queues = createQueues({
    service: 'jobrunner',
    logger,
    redisUrl: config.redis.url,
    connectionString: databaseUrl,
  });
  await queues.everyInterval('storage.purge', config.gc.purgeInterval, purgeTask(config, { pool, store }, resources));
  return {
    mounts: [],
    checks: { database: () => pool.query('SELECT 1'), storage: () => store.check() },
    isReady: () => true,
    async close() {
      await queues.close();
      await pool.end();
    },
  };
}

function databaseSettings({ database }: JobrunnerConfig, url: string): DatabaseSettings {
  return {
    url,
    role: 'jobrunner',
    poolSize: database.poolSize,
    statementTimeoutMs: database.statementTimeout,
    lockTimeoutMs: database.lockTimeout,
  };
}

function purgeTask(
  { gc }: JobrunnerConfig,
  { pool, store }: { pool: Pool; store: BlobStore },
  { logger, metrics }: ServiceResources,
): (signal: AbortSignal) => Promise<void> {
  const purge = new PostgresPurge(pool);
  const removed = metrics.counter('purge_removed_total', 'What the purge removed.', ['kind']);
  return async (signal) => {
    const report = await purgeStorage(purge, store, { expiryMs: gc.uploadExpiry, signal });
    removed.inc({ kind: 'upload' }, report.uploads);
    removed.inc({ kind: 'object' }, report.objects);
    for (const error of report.failures)
      logger.warn({ err: error }, 'an object could not be removed; it is tried again');
    if (report.uploads + report.objects > 0) {
      logger.info({ uploads: report.uploads, objects: report.objects }, 'removed what was abandoned');
    }
  };
}
