import type { RebuildTarget } from '@entrepot/content';
import { Client } from 'pg';
import { connectionOptions } from '../database/connection.js';
import { detectPooler } from '../database/detect-pooler.js';
import { translateDatabaseError } from '../database/errors.js';
import { PostgresRebuildTarget } from './postgres-rebuild-target.js';
import { STAGING_TABLES, marking } from './rebuild-tables.js';

/** Work that reads a whole store takes hours, and nobody else is there to wait for it. */
const UNHURRIED = { statementTimeoutMs: 0, lockTimeoutMs: 10_000, idleInTransactionTimeoutMs: 0 } as const;

/** What already is in a database that a rebuild would fill. */
export interface Occupants {
  /** It holds a repository, a manifest or a blob. */
  readonly hasContent: boolean;
  /** Names of services that are connected to it. */
  readonly services: readonly string[];
}

/** Looks who and what is there; the tables need not be. */
export async function findOccupants(url: string): Promise<Occupants> {
  return withClient(url, async (client) => {
    const { rows: connected } = await client.query<{ application_name: string }>(
      `SELECT DISTINCT application_name FROM pg_stat_activity
       WHERE datname = current_database() AND pid <> pg_backend_pid()
         AND application_name IN ('entrepot-registry', 'entrepot-auth', 'entrepot-jobrunner') ORDER BY 1`,
    );
    const services = connected.map(({ application_name: name }) => name.replace('entrepot-', ''));
    const { rows: tables } = await client.query<{ is_there: boolean }>(
      `SELECT to_regclass('repository') IS NOT NULL AND to_regclass('manifest') IS NOT NULL
         AND to_regclass('blob') IS NOT NULL AS is_there`,
    );
    if (tables[0]?.is_there !== true) return { hasContent: false, services };
    return { hasContent: await hasContent(client), services };
  });
}

/**
 * Runs `work` in one transaction on a database that has all migrations and no content; committed where it resolves with true, and
 * as if it had never been in any other case, a crash included. Resolves with false where content is there by now.
 */
export async function rebuildInto(url: string, work: (target: RebuildTarget) => Promise<boolean>): Promise<boolean> {
  return withClient(url, async (client, setUp) => {
    await client.query(['BEGIN', ...setUp].join('; '));
    // Its locks keep everybody else from writing until the end.
    await client.query(marking('DISABLE'));
    if (await hasContent(client)) return false;
    await client.query(STAGING_TABLES);
    const isWanted = await work(new PostgresRebuildTarget(client));
    await client.query(marking('ENABLE'));
    await client.query(isWanted ? 'COMMIT' : 'ROLLBACK');
    return true;
  });
}

async function hasContent(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ has_content: boolean }>(
    `SELECT EXISTS (SELECT FROM repository) OR EXISTS (SELECT FROM manifest) OR EXISTS (SELECT FROM blob) AS has_content`,
  );
  return rows[0]?.has_content === true;
}

async function withClient<T>(url: string, work: (client: Client, setUp: string[]) => Promise<T>): Promise<T> {
  const settings = { url, role: 'owner', poolSize: 1, ...UNHURRIED } as const;
  const pooler = await detectPooler(url);
  const client = new Client(connectionOptions({ ...settings, pooler }));
  const setUp =
    pooler === 'transaction'
      ? ['SET LOCAL statement_timeout = 0', 'SET LOCAL idle_in_transaction_session_timeout = 0']
      : [];
  try {
    await client.connect();
    return await work(client, setUp);
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    // Ends a transaction that was not committed.
    await client.end().catch(() => undefined);
  }
}
