import { readFile, readdir } from 'node:fs/promises';
import { Client } from 'pg';
import type pg from 'pg';
import { connectionOptions } from './connection.js';
import { detectPooler } from './detect-pooler.js';
import { translateDatabaseError } from './errors.js';
import type { Queryable } from './unit-of-work.js';

const DIRECTORY = new URL('../../src/migrations/', import.meta.url);
/** Key of the advisory lock that lets one migration run at a time (any number that nothing else here uses). */
const LOCK_KEY = '7308339910654618484';

export interface Migration {
  /** File name without its ending; the order of names is the order of migrations. */
  readonly name: string;
  readonly sql: string;
}

export async function readMigrations(): Promise<Migration[]> {
  const files = (await readdir(DIRECTORY)).filter((file) => file.endsWith('.sql')).sort();
  return Promise.all(
    files.map(async (file) => ({ name: file.slice(0, -4), sql: await readFile(new URL(file, DIRECTORY), 'utf8') })),
  );
}

/**
 * Brings the schema up to date: each migration not recorded in `schema_migration` runs in a transaction of its own,
 * one process at a time, through a pooler too. Returns the names of those that ran here.
 */
export async function migrate(url: string, onStep: (name: string) => void = () => {}): Promise<string[]> {
  const settings = { url, role: 'owner', poolSize: 1, statementTimeoutMs: 0, lockTimeoutMs: 0 } as const;
  const client = new Client(connectionOptions({ ...settings, pooler: await detectPooler(url) }));
  try {
    await client.connect();
    const ran: string[] = [];
    for (let name = await runNext(client, onStep); name !== undefined; name = await runNext(client, onStep)) {
      ran.push(name);
    }
    return ran;
  } catch (error) {
    throw translateDatabaseError(error);
  } finally {
    await client.end().catch(() => {});
  }
}

/** Migrations that this version knows and the database lacks. */
export async function pendingMigrations(database: Queryable): Promise<Migration[]> {
  const { rows } = await database.query<{ is_recorded: boolean }>(
    `SELECT to_regclass('schema_migration') IS NOT NULL AS is_recorded`,
  );
  const recorded = rows[0]?.is_recorded
    ? await database.query<{ name: string }>('SELECT name FROM schema_migration')
    : { rows: [] };
  const done = new Set(recorded.rows.map((row) => row.name));
  return (await readMigrations()).filter((migration) => !done.has(migration.name));
}

/** Runs the first migration that is pending; resolves with its name, or undefined where there is none. */
async function runNext(client: pg.Client, onStep: (name: string) => void): Promise<string | undefined> {
  await client.query('BEGIN');
  try {
    // Held until COMMIT: others wait here, and then see what was recorded.
    await client.query(`SELECT pg_advisory_xact_lock(${LOCK_KEY})`);
    await client.query(
      `CREATE TABLE IF NOT EXISTS schema_migration (name text PRIMARY KEY, ran_at timestamptz NOT NULL DEFAULT now())`,
    );
    const [migration] = await pendingMigrations(client);
    if (migration) await runOne(client, migration, onStep);
    await client.query('COMMIT');
    return migration?.name;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => {});
    throw error;
  }
}

async function runOne(client: pg.Client, migration: Migration, onStep: (name: string) => void): Promise<void> {
  onStep(migration.name);
  try {
    await client.query(migration.sql);
    await client.query('INSERT INTO schema_migration (name) VALUES ($1)', [migration.name]);
  } catch (error) {
    throw new Error(`migration ${migration.name} failed: ${error instanceof Error ? error.message : String(error)}`, {
      cause: error,
    });
  }
}
