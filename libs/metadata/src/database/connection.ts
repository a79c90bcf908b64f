import { Pool } from 'pg';
import type pg from 'pg';

/** Roles of 0003_roles.sql; `owner` is the login itself (migrations, administration on the command line). */
export type DatabaseRole = 'registry' | 'auth' | 'jobrunner' | 'owner';

export interface DatabaseSettings {
  readonly url: string;
  readonly role: DatabaseRole;
  readonly poolSize: number;
  readonly statementTimeoutMs: number;
  readonly lockTimeoutMs: number;
  /** Default is a minute. */
  readonly idleInTransactionTimeoutMs?: number;
  /** For how long work that may be repeated is begun again while Postgres is away; default is not at all. */
  readonly patienceMs?: number;
  /** `transaction`: the URL leads to a pooler that lends a server's connection for one transaction; default `none`. */
  readonly pooler?: 'none' | 'transaction';
  /**
   * For statements that read few rows by their keys, and nothing else: each is planned once, as a walk along indexes, whatever
   * the values are and whatever the planner knows of its tables. Planning one for its values takes longer than running it.
   */
  readonly isByKey?: boolean;
}

/** How much longer than the server itself a client waits for it to give up a statement. */
const SILENCE_MS = 2_000;
const IDLE_IN_TRANSACTION_MS = 60_000;

/** Every table of such a statement has an index that fits, also where it is still too small for the planner to use it. */
const BY_KEY = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
};

/** What a session of the service is set to: its own role, and timeouts, so that nothing is waited for without end. */
function sessionSettings(settings: DatabaseSettings): Record<string, string> {
  return {
    statement_timeout: String(settings.statementTimeoutMs),
    lock_timeout: String(settings.lockTimeoutMs),
    idle_in_transaction_session_timeout: String(settings.idleInTransactionTimeoutMs ?? IDLE_IN_TRANSACTION_MS),
    ...(settings.isByKey === true && BY_KEY),
    ...(settings.role !== 'owner' && { role: `entrepot_${settings.role}` }),
  };
}

/**
 * Connection options of one service: the login of the URL, the service's own role, and timeouts for statements, locks and a
 * server that says nothing any more. Behind a pooler the session is not ours to set up: each transaction begins with it.
 */
export function connectionOptions(settings: DatabaseSettings): pg.ClientConfig {
  const options = Object.entries(sessionSettings(settings)).map(([name, value]) => `-c ${name}=${value}`);
  return {
    connectionString: settings.url,
    ...(settings.pooler !== 'transaction' && { options: options.join(' ') }),
    application_name: `entrepot-${settings.role}`,
    connectionTimeoutMillis: 5_000,
    ...(settings.statementTimeoutMs > 0 && { query_timeout: settings.statementTimeoutMs + SILENCE_MS }),
    keepAlive: true,
  };
}

/** A pool that survives the loss of its connections, and knows how work is sent through it. */
export class DatabasePool extends Pool {
  /** For how long work that may be repeated is begun again. */
  readonly patienceMs: number;
  /** Statements that set up a transaction behind a pooler; undefined where sessions are set up once. */
  readonly setUp: string | undefined;

  constructor(settings: DatabaseSettings) {
    super({ ...connectionOptions(settings), max: settings.poolSize, idleTimeoutMillis: 60_000 });
    this.patienceMs = settings.patienceMs ?? 0;
    const each = Object.entries(sessionSettings(settings)).map(([name, value]) => `SET LOCAL ${name} = '${value}'`);
    this.setUp = settings.pooler === 'transaction' ? each.join('; ') : undefined;
  }
}

/** Opens a pool; `onIdleError` hears of connections that were lost while they were idle. */
export function createPool(settings: DatabaseSettings, onIdleError: (error: Error) => void = () => {}): DatabasePool {
  const pool = new DatabasePool(settings);
  // `end` resolves before its connections are closed: what a server that stops then says to them is no news.
  pool.on('error', (error) => {
    if (!pool.ending) onIdleError(error);
  });
  pool.on('connect', (client) => {
    // The pool does not listen to a connection that is lent: one lost between two statements of a transaction would end the
    // process. Its next statement is refused, which tells enough.
    client.on('error', () => {});
    if (pool.setUp !== undefined) prepareNothing(client);
  });
  return pool;
}

/** Behind a pooler the next transaction has another server: what was prepared by name on this one is unknown there. */
function prepareNothing(client: pg.PoolClient): void {
  const send = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((query: unknown, ...rest: unknown[]) => send(withoutName(query), ...rest)) as typeof client.query;
}

function withoutName(query: unknown): unknown {
  return typeof query === 'object' && query !== null && 'name' in query ? { ...query, name: undefined } : query;
}
