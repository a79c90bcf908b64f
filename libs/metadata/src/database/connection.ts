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
}

/** How much longer than the server itself a client waits for it to give up a statement. */
const SILENCE_MS = 2_000;

/**
 * Connection options of one service: the login of the URL, the service's own role, and timeouts, so that no statement
 * and no lock is waited for without end, nor a server that says nothing any more.
 */
export function connectionOptions(settings: DatabaseSettings): pg.ClientConfig {
  const options = [
    `-c statement_timeout=${settings.statementTimeoutMs}`,
    `-c lock_timeout=${settings.lockTimeoutMs}`,
    `-c idle_in_transaction_session_timeout=60000`,
    ...(settings.role === 'owner' ? [] : [`-c role=entrepot_${settings.role}`]),
  ];
  return {
    connectionString: settings.url,
    options: options.join(' '),
    application_name: `entrepot-${settings.role}`,
    connectionTimeoutMillis: 5_000,
    ...(settings.statementTimeoutMs > 0 && { query_timeout: settings.statementTimeoutMs + SILENCE_MS }),
    keepAlive: true,
  };
}

/** A pool that survives the loss of its connections; `onIdleError` hears of those that were idle. */
export function createPool(settings: DatabaseSettings, onIdleError: (error: Error) => void = () => {}): pg.Pool {
  const pool = new Pool({ ...connectionOptions(settings), max: settings.poolSize, idleTimeoutMillis: 60_000 });
  // `end` resolves before its connections are closed: what a server that stops then says to them is no news.
  pool.on('error', (error) => {
    if (!pool.ending) onIdleError(error);
  });
  // The pool does not listen to a connection that is lent: one lost between two statements of a transaction would end the
  // process. Its next statement is refused, which tells enough.
  pool.on('connect', (client) => client.on('error', () => {}));
  return pool;
}
