import { Client } from 'pg';
import { sqlState, translateDatabaseError } from './errors.js';

/** A setting of the session that nobody has by chance. */
const MARK_MS = 54_321;
const TIMEOUT_MS = 5_000;

/**
 * Finds out whether a URL leads to Postgres itself, or to a pooler: PgBouncer and its like refuse what a client wants its
 * session to be, or drop it silently. Rejects with `DatabaseUnavailable` where nobody answers.
 */
export async function detectPooler(url: string): Promise<'none' | 'transaction'> {
  try {
    return (await lockTimeout(url, `-c lock_timeout=${MARK_MS}`)) === String(MARK_MS) ? 'none' : 'transaction';
  } catch (error) {
    if (!isRefusal(error)) throw translateDatabaseError(error);
    // It is the options that were refused where it can be done without.
    await lockTimeout(url).catch(() => {
      throw translateDatabaseError(error);
    });
    return 'transaction';
  }
}

async function lockTimeout(url: string, options?: string): Promise<string | undefined> {
  const client = new Client({
    connectionString: url,
    ...(options !== undefined && { options }),
    connectionTimeoutMillis: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ setting: string }>(
      `SELECT setting FROM pg_settings WHERE name = 'lock_timeout'`,
    );
    return rows[0]?.setting;
  } finally {
    await client.end().catch(() => {});
  }
}

/** Somebody answered, and not that the login or the database is wrong (28, 3D), or that it cannot now (53, 57). */
function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  return state !== undefined && !/^(28|3D|53|57)/.test(state);
}
