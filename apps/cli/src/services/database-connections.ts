import { JOB_CONNECTIONS } from '@entrepot/jobrunner/settings';
import { QUEUE_CONNECTIONS } from '@entrepot/runtime';
import type { StandaloneConfig } from '../standalone/settings.js';
import type { ServiceName } from './served.js';

/** The session by which other data planes know that this one lives. */
const SIGN_OF_LIFE = 1;

/** Connections to Postgres that one process of a service opens at most; docs/database.md adds up an installation. */
export function databaseConnections(
  service: ServiceName,
  { database, redis }: Pick<StandaloneConfig, 'database' | 'redis'>,
): number {
  const { poolSize, lookupPoolSize, readUrl } = database;
  switch (service) {
    case 'registry':
      return poolSize + (readUrl === undefined ? lookupPoolSize : 2 * lookupPoolSize) + SIGN_OF_LIFE;
    case 'auth':
      return poolSize;
    case 'jobrunner':
      return poolSize + JOB_CONNECTIONS + (redis.url === undefined ? QUEUE_CONNECTIONS : 0);
  }
}
