import { inspectDatabase, type DatabasePool } from '@entrepot/metadata';
import { createLogger, createMetrics, openRedisLink, QUEUE_SCHEMA, type RedisConfig } from '@entrepot/runtime';
import type { Findings } from './finding.js';

/** What wakes workers up: Redis where the settings name one, else tables in Postgres. */
export async function checkQueues(
  pool: DatabasePool | undefined,
  redis: RedisConfig,
  findings: Findings,
): Promise<void> {
  if (redis.url !== undefined) {
    await checkRedis(redis, findings);
    return;
  }
  if (!pool) return;
  const { jobrunnerSchemas } = await inspectDatabase(pool);
  if (jobrunnerSchemas.includes(QUEUE_SCHEMA)) findings.ok('queues are in Postgres');
  else findings.fail('the tables of the queues are missing, or not the jobrunner’s to use', "run 'entrepot migrate'");
}

/** A Redis that may drop keys is refused when it is opened. */
async function checkRedis(config: RedisConfig, findings: Findings): Promise<void> {
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'cli' });
  const link = await openRedisLink(config, { logger, metrics: createMetrics() });
  try {
    await link?.check();
    findings.ok('Redis answers, and drops no keys');
  } catch (error) {
    findings.warn(
      `Redis: ${(error as Error).message}`,
      'everything goes on without it, slower; see whether it runs, and ENTREPOT_REDIS_URL',
    );
  } finally {
    await link?.close();
  }
}
