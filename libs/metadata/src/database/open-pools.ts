import type { DatabaseConfig } from '../config.js';
import { createPool, type DatabasePool, type DatabaseRole, type DatabaseSettings } from './connection.js';
import { detectPooler } from './detect-pooler.js';
import { repeat } from './repeat.js';

/** Longer than this nobody waits for a replica: the primary is asked instead. */
const REPLICA_STATEMENT_MS = 2_000;

/** A service that starts while Postgres restarts waits for it. */
const START_PATIENCE_MS = 30_000;

/** What the pools of a service need of their process. */
export interface PoolSurroundings {
  /** Where transactions are sent: Postgres, or a pooler before it. */
  readonly databaseUrl: string;
  readonly logger: { warn(fields: object, message: string): void };
  readonly metrics: {
    poolGauge(pool: string, read: () => { total: number; idle: number; waiting: number }): void;
  };
}

/** All connections of one service of a process. */
export interface ServicePools {
  /** A pool of at most `size` connections, watched by its name. */
  open(name: string, size: number, options?: Pick<DatabaseSettings, 'isByKey'>): DatabasePool;
  /** The same to the read replica; undefined where the settings name none. */
  openReplica(name: string, size: number): DatabasePool | undefined;
  /** How one session is opened that has to last: past a pooler, where the settings say how. */
  readonly session: Omit<DatabaseSettings, 'poolSize'>;
  end(): Promise<void>;
}

export async function openPools(
  role: Exclude<DatabaseRole, 'owner'>,
  config: DatabaseConfig,
  { databaseUrl, logger, metrics }: PoolSurroundings,
): Promise<ServicePools> {
  const { patience: patienceMs, readUrl, directUrl } = config;
  const pooler = config.pooler === 'auto' ? await untilDetected(databaseUrl) : config.pooler;
  const settings = {
    role,
    statementTimeoutMs: config.statementTimeout,
    lockTimeoutMs: config.lockTimeout,
    idleInTransactionTimeoutMs: config.idleInTransactionTimeout,
  };
  const pools: DatabasePool[] = [];
  const open = (name: string, given: DatabaseSettings): DatabasePool => {
    const pool = createPool(given, (error) =>
      logger.warn({ err: error, pool: name }, 'a database connection was lost'),
    );
    metrics.poolGauge(name, () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }));
    pools.push(pool);
    return pool;
  };
  return {
    open: (name, poolSize, options) =>
      open(name, { ...settings, ...options, url: databaseUrl, pooler, patienceMs, poolSize }),
    openReplica: (name, poolSize) =>
      readUrl === undefined
        ? undefined
        : open(name, { ...settings, url: readUrl, pooler, poolSize, statementTimeoutMs: REPLICA_STATEMENT_MS }),
    session: { ...settings, url: directUrl ?? databaseUrl, pooler: directUrl === undefined ? pooler : 'none' },
    end: async () => {
      await Promise.all(pools.map((pool) => pool.end()));
    },
  };
}

function untilDetected(url: string): Promise<'none' | 'transaction'> {
  return repeat({ patienceMs: START_PATIENCE_MS, isIdempotent: true }, () => detectPooler(url));
}
