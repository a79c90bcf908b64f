import { Client } from 'pg';
import { connectionOptions } from './connection.js';
import { detectPooler } from './detect-pooler.js';
import { translateDatabaseError } from './errors.js';

/** Whether the database keeps anything that only the present ENTREPOT_SECRETS_KEY opens; a new database does not. */
export async function holdsSealedValues(url: string): Promise<boolean> {
  const settings = { url, role: 'owner', poolSize: 1, statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 } as const;
  const client = new Client(connectionOptions({ ...settings, pooler: await detectPooler(url) }));
  try {
    await client.connect();
    const { rows } = await client.query<{ has_table: boolean }>(
      `SELECT to_regclass('signing_key') IS NOT NULL AS has_table`,
    );
    if (rows[0]?.has_table !== true) return false;
    return (await client.query('SELECT FROM signing_key LIMIT 1')).rows.length > 0;
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}
