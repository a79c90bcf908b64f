import { withTestDatabase } from '@entrepot/testkit/postgres';
import { describe, expect, it } from 'vitest';
import { createPool } from './connection.js';
import { DatabaseUnavailable } from './errors.js';
import { queryRows, runUnitOfWork } from './unit-of-work.js';

describe('runUnitOfWork', () => {
  const database = withTestDatabase();

  it('is refused, and ends nothing, when its connection is lost between two statements', async () => {
    const settings = { role: 'owner', poolSize: 2, statementTimeoutMs: 5_000, lockTimeoutMs: 5_000 } as const;
    const pool = createPool({ url: database.url, ...settings });
    try {
      const work = runUnitOfWork(pool, async (tx) => {
        const { rows } = await tx.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
        // Not `once` of node:events, which an error event ends as well.
        const lost = new Promise<void>((resolve) => void tx.once('end', resolve));
        await queryRows(pool, { text: 'SELECT pg_terminate_backend($1)', values: [rows[0]?.pid] });
        await lost;
        await tx.query('SELECT 1');
      });
      await expect(work).rejects.toThrow(DatabaseUnavailable);
      expect(await queryRows(pool, { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });
});

describe('queryRows', () => {
  const database = withTestDatabase();

  it('is refused by a server that says nothing any more', async () => {
    const settings = { role: 'owner', poolSize: 1, statementTimeoutMs: 200, lockTimeoutMs: 200 } as const;
    const pool = createPool({ url: database.url, ...settings });
    try {
      await queryRows(pool, { text: 'SET statement_timeout = 0' });
      const stuck = queryRows(pool, { text: 'SELECT pg_sleep(600)' });
      await expect(stuck).rejects.toThrow(DatabaseUnavailable);
      expect(await queryRows(pool, { text: 'SELECT 1 AS one' })).toEqual([{ one: 1 }]);
    } finally {
      await pool.end();
    }
  });
});
