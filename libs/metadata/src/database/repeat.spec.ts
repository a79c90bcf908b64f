import { randomBytes } from 'node:crypto';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createPool, type DatabasePool, type DatabaseSettings } from './connection.js';
import { queryRows, repeatRows, runUnitOfWork } from './unit-of-work.js';

const database = withTestDatabase();
const SETTINGS = { role: 'owner', poolSize: 4, statementTimeoutMs: 300, lockTimeoutMs: 200 } as const;
let pool: DatabasePool;

function open(changed: Partial<DatabaseSettings> = {}): DatabasePool {
  return createPool({ url: database.url, ...SETTINGS, patienceMs: 10_000, ...changed });
}

beforeAll(async () => {
  pool = open();
  await pool.query('CREATE TABLE thing (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)');
  await pool.query('INSERT INTO thing (id) VALUES (1)');
});
afterAll(() => pool.end());

/** A unit of work whose first attempts fail in the database with that SQLSTATE. */
async function failing(code: string, failures: number): Promise<{ attempts: number; outcome: unknown }> {
  let attempts = 0;
  const work = runUnitOfWork(pool, async (tx) => {
    attempts += 1;
    await tx.query('UPDATE thing SET n = n + 1 WHERE id = 1');
    if (attempts <= failures) await tx.query(`DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '${code}'; END $$`);
  });
  const outcome = await work.then(
    () => 'done',
    (error: unknown) => (error as Error).name,
  );
  return { attempts, outcome };
}

async function count(): Promise<number> {
  const { rows } = await pool.query<{ n: number }>('SELECT n FROM thing WHERE id = 1');
  return rows[0]?.n ?? Number.NaN;
}

describe('FT-41: a transaction', () => {
  it.each([
    ['a serialisation failure', '40001'],
    ['a deadlock', '40P01'],
    ['a shutdown', '57P01'],
    ['a server that is a standby', '25006'],
    ['no connection left', '53300'],
  ])('is run anew after %s, and counts once', async (_what, code) => {
    const before = await count();
    expect(await failing(code, 2)).toEqual({ attempts: 3, outcome: 'done' });
    expect(await count()).toBe(before + 1);
  });

  it('is run five times at most where others are always in its way', async () => {
    expect(await failing('40001', 100)).toEqual({ attempts: 5, outcome: 'DatabaseUnavailable' });
  });

  it.each([
    ['a full disk', '53100'],
    ['a lock that was waited for', '55P03'],
    ['a statement that took too long', '57014'],
    ['an error of the disk', '58030'],
  ])('is not run anew after %s', async (_what, code) => {
    expect(await failing(code, 1)).toEqual({ attempts: 1, outcome: 'DatabaseUnavailable' });
  });

  it('is not run anew after an error of its own', async () => {
    expect(await failing('22012', 1)).toEqual({ attempts: 1, outcome: 'error' });
  });

  it('gives up when patience ends', async () => {
    const impatient = open({ patienceMs: 0 });
    let attempts = 0;
    const work = runUnitOfWork(impatient, async (tx) => {
      attempts += 1;
      await tx.query('SELECT pg_terminate_backend(pg_backend_pid())');
    });
    await expect(work).rejects.toMatchObject({ name: 'DatabaseUnavailable', outcome: 'undone' });
    expect(attempts).toBe(1);
    await impatient.end();
  });
});

describe('FT-41: a statement', () => {
  it('is refused once it took too long, or waited too long for a lock', async () => {
    await expect(queryRows(pool, { text: 'SELECT pg_sleep(60)' })).rejects.toMatchObject({ retryable: true });
    const holder = await pool.connect();
    await holder.query('BEGIN; UPDATE thing SET n = n WHERE id = 1');
    const waiting = repeatRows(pool, { text: 'UPDATE thing SET n = n WHERE id = 1 RETURNING id' });
    await expect(waiting).rejects.toMatchObject({ retryable: true });
    await holder.query('ROLLBACK');
    holder.release();
  });

  it('waits for a connection where the server has none left', async () => {
    const { url, close } = await limitedLogin();
    const holder = new Client({ connectionString: url });
    await holder.connect();
    const limited = open({ url });
    const waiting = queryRows(limited, { text: 'SELECT 1 AS one' });
    await expect(new Client({ connectionString: url }).connect()).rejects.toMatchObject({ code: '53300' });
    await holder.end();
    expect(await waiting).toEqual([{ one: 1 }]);
    await limited.end();
    await close();
  });
});

/** A login that one session at a time may use. */
async function limitedLogin(): Promise<{ url: string; close(): Promise<unknown> }> {
  const [name, password] = [`limited_${randomBytes(6).toString('hex')}`, randomBytes(12).toString('hex')];
  await pool.query(`CREATE ROLE ${name} LOGIN PASSWORD '${password}' CONNECTION LIMIT 1`);
  const url = new URL(database.url);
  url.username = name;
  url.password = password;
  return { url: url.href, close: () => pool.query(`DROP ROLE ${name}`) };
}
