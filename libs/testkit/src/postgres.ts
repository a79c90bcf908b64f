import { randomBytes } from 'node:crypto';
import { connect } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from 'pg';
import { afterAll, beforeAll, inject } from 'vitest';
import type { PostgresDoorAnswer } from './postgres-global-setup.js';

/** A database of its own for one spec file. */
export interface TestDatabase {
  /** `postgres://` URL of a login that owns the database; readable once the file's hooks have run. */
  readonly url: string;
}

/**
 * Gives the calling spec file (or `describe`) a fresh, empty database, dropped afterwards:
 *
 * ```ts
 * import { withTestDatabase } from '@entrepot/testkit/postgres';
 * const database = withTestDatabase({ prepare: (url) => migrate(url) });
 * it('stores', async () => { const pool = new Pool({ connectionString: database.url }); … });
 * ```
 *
 * Needs the vitest configuration to name `libs/testkit/src/postgres-global-setup.ts` in `globalSetup`.
 */
export function withTestDatabase(options: { prepare?: (url: string) => Promise<unknown> } = {}): TestDatabase {
  const name = `test_${randomBytes(8).toString('hex')}`;
  let url: string | undefined;

  beforeAll(async () => {
    await administer(`CREATE DATABASE ${name}`);
    url = await databaseUrl(name);
    await options.prepare?.(url);
  });
  afterAll(() => administer(`DROP DATABASE IF EXISTS ${name} WITH (FORCE)`));

  return {
    get url() {
      if (url === undefined)
        throw new Error('the test database exists from beforeAll on: read its url in a test or hook');
      return url;
    },
  };
}

async function administer(statement: string): Promise<void> {
  const client = new Client({ connectionString: await serverUrl() });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

async function databaseUrl(name: string): Promise<string> {
  const url = new URL(await serverUrl());
  url.pathname = name;
  return url.href;
}

async function serverUrl(): Promise<string> {
  const answer = JSON.parse(await text(connect(inject('entrepotPostgresDoor')))) as PostgresDoorAnswer;
  if ('error' in answer) throw new Error(`no Postgres for the specs: ${answer.error}`);
  return answer.url;
}
