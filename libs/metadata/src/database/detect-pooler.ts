import { Client } from 'pg';
import { translateDatabaseError } from './errors.js';

/** A setting of the session that nobody has by chance. */
const MARK_MS = 54_321;

/**
 * Finds out whether a URL leads to Postgres itself, or to a pooler: PgBouncer refuses what a client wants its session to
 * be, or drops it silently. Rejects with `DatabaseUnavailable` where nobody answers.
 */
export async function detectPooler(url: string): Promise<'none' | 'transaction'> {
  const client = new Client({
    connectionString: url,
    options: `-c lock_timeout=${MARK_MS}`,
    connectionTimeoutMillis: 5_000,
    query_timeout: 5_000,
  });
  client.on('error', () => {});
  try {
    await client.connect();
    const { rows } = await client.query<{ mark: string }>(
      `SELECT setting AS mark FROM pg_settings WHERE name = 'lock_timeout'`,
    );
    return rows[0]?.mark === String(MARK_MS) ? 'none' : 'transaction';
  } catch (error) {
    if (error instanceof Error && /unsupported startup parameter/.test(error.message)) return 'transaction';
    throw translateDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}
