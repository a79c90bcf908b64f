import { Client } from 'pg';
import { readMigrations } from './migrate.js';

/** Brings the schema to where it was before the migration of that number, `0008`, and all after it. */
export async function migrateBefore(url: string, number: string): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(
      'CREATE TABLE schema_migration (name text PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now())',
    );
    for (const { name, sql } of await readMigrations()) {
      if (name >= number) break;
      await client.query(sql);
      await client.query('INSERT INTO schema_migration (name) VALUES ($1)', [name]);
    }
  } finally {
    await client.end();
  }
}
