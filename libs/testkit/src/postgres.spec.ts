import { Client } from 'pg';
import { describe, expect, it } from 'vitest';
import { withTestDatabase } from './postgres.js';

async function ask(url: string, statement: string) {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('withTestDatabase', () => {
  const first = withTestDatabase({ prepare: (url) => ask(url, 'CREATE TABLE prepared (id int)') });
  const second = withTestDatabase();

  it('gives each caller a database of its own, prepared before the tests', async () => {
    const tables = "SELECT tablename FROM pg_tables WHERE schemaname = 'public'";
    expect(await ask(first.url, tables)).toEqual([{ tablename: 'prepared' }]);
    expect(await ask(second.url, tables)).toEqual([]);
  });
});
