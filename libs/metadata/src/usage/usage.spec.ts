import { randomUUID } from 'node:crypto';
import { foldUsage } from '@entrepot/content';
import { parseRepositoryName } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import * as fc from 'fast-check';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresUsage, createPool, migrate, usageDifferences } from '../index.js';
import { migrateBefore } from '../database/migrate-before.suite.js';
import { beginFold, foldChanges } from './fold-changes.js';
import { UsageWorld, type Operation } from './usage-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const timeouts = { statementTimeoutMs: 60_000, lockTimeoutMs: 30_000 };
let owner: Pool;
let folder: Pool;
let usage: PostgresUsage;
let world: UsageWorld;

beforeAll(() => {
  owner = createPool({ url: database.url, role: 'owner', poolSize: 6, ...timeouts });
  folder = createPool({ url: database.url, role: 'jobrunner', poolSize: 4, ...timeouts });
  usage = new PostgresUsage(folder);
});
beforeEach(async () => {
  world = new UsageWorld(owner);
  await world.open();
});
afterAll(() => Promise.all([owner.end(), folder.end()]));

const pending = async (): Promise<number> => {
  const { rows } = await owner.query<{ n: string }>(
    `SELECT (SELECT count(*) FROM usage_link_delta) + (SELECT count(*) FROM usage_delta)
       + (SELECT count(*) FROM usage_store_delta) + (SELECT count(*) FROM usage_repository_mark) AS n`,
  );
  return Number(rows[0]?.n);
};

const operations = fc.record<Operation>({
  kind: fc.constantFrom(
    ...(['link', 'link', 'link', 'unlink', 'push', 'push', 'delete', 'restore', 'remove'] as const),
    ...(['removeBlob', 'hide', 'show', 'move', 'purge', 'fold'] as const),
  ),
  repository: fc.nat(5),
  item: fc.nat(6),
});

describe('the account of what is stored', () => {
  it('counts a blob once for its namespace, and for every manifest that names it', async () => {
    await world.run({ kind: 'link', repository: 0, item: 1 });
    await world.run({ kind: 'link', repository: 1, item: 1 });
    await world.run({ kind: 'push', repository: 0, item: 1 });
    await world.run({ kind: 'push', repository: 1, item: 1 });
    expect(await usage.pending()).toEqual({ usageChanges: await pending(), manifestUses: 0 });
    const steps: number[] = [];
    const folded = await foldUsage(usage, undefined, async (changes) => void steps.push(changes));
    expect(steps.reduce((sum, step) => sum + step, 0)).toBe(folded);
    expect(await usage.pending()).toEqual({ usageChanges: 0, manifestUses: 0 });
    const [blobBytes, payloadBytes] = [world.blobBytes(1), world.payloadBytes(1)];
    expect(await usage.ofNamespace(world.namespaceOf(0))).toMatchObject({
      manifests: 2,
      logicalBytes: 2 * (blobBytes + payloadBytes),
      blobs: 1,
      deduplicatedBytes: blobBytes + 2 * payloadBytes,
    });
    expect(await usage.ofRepository(parseRepositoryName(world.repositoryName(0)))).toMatchObject({
      manifests: 1,
      logicalBytes: blobBytes + payloadBytes,
      blobs: 1,
      deduplicatedBytes: blobBytes + payloadBytes,
    });
    expect(await new PostgresUsage(folder, { isCounted: true }).ofNamespace(world.namespaceOf(0))).toEqual(
      await usage.ofNamespace(world.namespaceOf(0)),
    );
    expect(await pending()).toBe(0);
  });

  it('takes a repository along to another namespace, and counts a deleted one by what it holds', async () => {
    await world.run({ kind: 'link', repository: 0, item: 2 });
    await world.run({ kind: 'push', repository: 0, item: 2 });
    await foldUsage(usage);
    const before = await usage.ofNamespace(world.namespaceOf(0));
    await world.run({ kind: 'hide', repository: 0, item: 0 });
    await foldUsage(usage);
    expect(await usage.ofNamespace(world.namespaceOf(0))).toMatchObject({
      manifests: 0,
      logicalBytes: 0,
      blobs: 1,
      deduplicatedBytes: before?.deduplicatedBytes,
    });
    await world.run({ kind: 'show', repository: 0, item: 0 });
    await world.run({ kind: 'move', repository: 0, item: 1 });
    await foldUsage(usage);
    const nothing = { manifests: 0, logicalBytes: 0, blobs: 0, deduplicatedBytes: 0 };
    expect(await usage.ofNamespace(world.namespaceOf(0))).toMatchObject(nothing);
    expect(await usage.ofNamespace(world.namespaces[1] ?? '')).toMatchObject({
      ...before,
      name: world.namespaces[1],
    });
  });

  it('is exact after whatever happened, folded at whatever moment', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operations, { maxLength: 40 }),
        fc.integer({ min: 1, max: 7 }),
        async (steps, limit) => {
          for (const step of steps) {
            if (step.kind === 'fold') await usage.fold(limit);
            else await world.run(step);
          }
          expect(await usageDifferences(folder)).toEqual([]);
          expect(await pending()).toBe(0);
        },
      ),
      { numRuns: 25 },
    );
  });

  it('is exact while several change content and several fold', async () => {
    const stop = new AbortController();
    const folding = [1, 2, 3].map(async (limit) => {
      while (!stop.signal.aborted) await usage.fold(limit * 5);
    });
    const checks: unknown[] = [];
    const checking = (async () => {
      while (!stop.signal.aborted) checks.push(...(await usageDifferences(folder)));
    })();
    const [steps = []] = fc.sample(fc.array(operations, { minLength: 300, maxLength: 300 }), { numRuns: 1, seed: 5 });
    const writing = [0, 1, 2, 3].map(async (writer) => {
      for (const step of steps.filter((_, index) => index % 4 === writer))
        if (step.kind !== 'fold') await world.run(step);
    });
    await Promise.all(writing);
    stop.abort();
    await Promise.all([...folding, checking]);
    expect(checks).toEqual([]);
    expect(await usageDifferences(folder)).toEqual([]);
  });

  it('loses nothing when a folder dies before its commit, and counts nothing twice', async () => {
    for (const item of [0, 1, 2, 3]) await world.run({ kind: 'link', repository: item, item });
    const client = await folder.connect();
    const died = new Promise((resolve) => client.once('error', resolve));
    await client.query('BEGIN');
    await beginFold(client);
    expect((await foldChanges(client, 2)).hasMore).toBe(true);
    const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    const waiting = foldUsage(usage);
    await owner.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await died;
    client.release(true);
    expect(await waiting).toBeGreaterThanOrEqual(8);
    expect(await usageDifferences(folder)).toEqual([]);
  });

  it('knows what the collector freed', async () => {
    const before = (await usage.total()).freed;
    await owner.query(`INSERT INTO usage_store_delta (freed_objects, freed_bytes) VALUES (2, 30), (1, 4)`);
    await foldUsage(usage);
    const { freed } = await usage.total();
    expect([freed.objects - before.objects, freed.bytes - before.bytes]).toEqual([3, 34]);
  });

  it('tells of a figure that is wrong', async () => {
    await world.run({ kind: 'link', repository: 0, item: 0 });
    await foldUsage(usage);
    const { rows } = await owner.query<{ id: string }>('UPDATE usage_total SET blobs = blobs + 1 RETURNING $1 AS id', [
      randomUUID(),
    ]);
    expect(rows).toHaveLength(1);
    expect(await usageDifferences(folder)).toMatchObject([{ of: 'total', figure: 'blobs' }]);
    await owner.query('UPDATE usage_total SET blobs = blobs - 1');
  });
});

describe('an installation from before the account', () => {
  const older = withTestDatabase({ prepare: (url) => migrateBefore(url, '0011') });

  it('is counted once, when it is upgraded', async () => {
    const pool = createPool({ url: older.url, role: 'owner', poolSize: 2, ...timeouts });
    try {
      const before = new UsageWorld(pool);
      await before.open();
      const [steps = []] = fc.sample(fc.array(operations, { minLength: 80, maxLength: 80 }), { numRuns: 1, seed: 3 });
      for (const step of steps) if (step.kind !== 'fold') await before.run(step);
      await migrate(older.url);
      const { rows } = await pool.query<{ n: number }>(
        'SELECT count(*)::integer AS n FROM usage_namespace WHERE blobs > 0',
      );
      expect(rows[0]?.n).toBeGreaterThan(1);
      expect(await usageDifferences(pool)).toEqual([]);
      for (const step of steps) if (step.kind !== 'fold') await before.run(step);
      expect(await usageDifferences(pool)).toEqual([]);
    } finally {
      await pool.end();
    }
  });
});
