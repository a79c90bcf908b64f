import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { migrate } from '@entrepot/metadata';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { countLeft, insertKept, plantGarbage } from './content-rows.js';
import { explainPass } from './explain-pass.js';

/** Enough that no planner reads a table from end to end for a batch of tasks. */
const KEPT = 60_000;

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let client: Client;
let storageRoot: string;

beforeAll(async () => {
  client = new Client({ connectionString: database.url });
  await client.connect();
  storageRoot = await mkdtemp(join(tmpdir(), 'entrepot-gc-plans-'));
  await insertKept(client, { label: 'kept', blobs: KEPT });
}, 180_000);

afterAll(async () => {
  await client.end();
  await rm(storageRoot, { recursive: true, force: true });
});

describe('a pass of garbage collection beside much that stays', () => {
  it('reads no big table from end to end, with nothing to do', async () => {
    const statements = await explainPass(database.url);
    expect(statements.map(({ name }) => name)).toContain('take-blob-reviews');
    expect(statements.filter(({ scanned }) => scanned.length > 0)).toEqual([]);
  });

  it('reads none either where manifests, links, blobs and objects go', async () => {
    await plantGarbage(client, storageRoot, { label: 'garbage', blobs: 300 });
    const statements = await explainPass(database.url);
    const names = statements.map(({ name }) => name);
    expect(names).toEqual(
      expect.arrayContaining(['decide-links', 'decide-blobs', 'forget-doomed-objects', 'fold-links']),
    );
    expect(statements.filter(({ scanned }) => scanned.length > 0)).toEqual([]);
    expect(await countLeft(client)).toEqual({ blobs: 0, objects: 0 });
  });
});
