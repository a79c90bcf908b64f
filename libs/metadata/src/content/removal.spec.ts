import { MemoryBlobStore } from '@entrepot/blob-store';
import { StoreUnavailable, foldUsage, removeDoomedObjects, type ObjectKey } from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresPurge, PostgresUsage, createPool, migrate } from '../index.js';

/** A store in which some objects cannot be removed now. */
class StubbornStore extends MemoryBlobStore {
  readonly stuck = new Set<ObjectKey>();

  override async removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
    await super.removeMany(keys.filter((key) => !this.stuck.has(key)));
    const left = keys.filter((key) => this.stuck.has(key));
    return new Map(left.map((key) => [key, new StoreUnavailable('stuck')]));
  }
}

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const timeouts = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };
const { signal } = new AbortController();
let owner: Pool;
let pool: Pool;
let purge: PostgresPurge;
let store: StubbornStore;

beforeAll(() => {
  owner = createPool({ url: database.url, role: 'owner', poolSize: 2, ...timeouts });
  pool = createPool({ url: database.url, role: 'jobrunner', poolSize: 4, ...timeouts });
  purge = new PostgresPurge(pool);
});
beforeEach(async () => {
  store = new StubbornStore();
  await owner.query('DELETE FROM doomed_object');
});
afterAll(() => Promise.all([owner.end(), pool.end()]));

async function doom(count: number, sizeBytes: number | null): Promise<ObjectKey[]> {
  const keys: ObjectKey[] = [];
  for (let made = 0; made < count; made += 1) {
    const writer = await store.write(store.newKey(), { offsetBytes: 0 });
    const { key } = await writer.complete({ digest: 'x', sizeBytes: 0, createdAt: 'now' });
    keys.push(key);
  }
  await owner.query(
    `INSERT INTO doomed_object (object_key, reason, size_bytes) SELECT key, 'test', $2 FROM unnest($1::text[]) AS k (key)`,
    [keys, sizeBytes],
  );
  return keys;
}

const leftInStore = async (): Promise<ObjectKey[]> => {
  const left: ObjectKey[] = [];
  for await (const { key } of store.list()) left.push(key);
  return left;
};

describe('the removal of doomed objects', () => {
  it('takes all that are due, in whatever number, and puts them on the account', async () => {
    await doom(2200, 10);
    await doom(3, null);
    expect(await removeDoomedObjects({ purge, store, ratePerSecond: 0, signal })).toEqual({
      objects: 2203,
      bytes: 22_000,
      failures: [],
    });
    expect(await leftInStore()).toEqual([]);
    const usage = new PostgresUsage(pool);
    await foldUsage(usage);
    expect((await usage.total()).freed).toEqual({ objects: 2203, bytes: 22_000 });
    expect(await removeDoomedObjects({ purge, store, ratePerSecond: 0, signal })).toMatchObject({ objects: 0 });
  });

  it('leaves what fails for later, and takes everything else', async () => {
    const keys = await doom(20, 1);
    for (const key of keys.slice(5, 8)) store.stuck.add(key);
    const { objects, failures } = await removeDoomedObjects({ purge, store, ratePerSecond: 0, signal });
    expect([objects, failures.length]).toEqual([17, 3]);
    const { rows } = await owner.query(
      'SELECT object_key FROM doomed_object WHERE due_at > now() AND attempts = 1 ORDER BY object_key',
    );
    expect(rows.map((row: { object_key: string }) => row.object_key)).toEqual(keys.slice(5, 8).toSorted());
    store.stuck.clear();
    await owner.query('UPDATE doomed_object SET due_at = now()');
    expect(await removeDoomedObjects({ purge, store, ratePerSecond: 0, signal })).toMatchObject({ objects: 3 });
  });

  it('is shared by several workers, none of which takes what another has', async () => {
    await doom(3000, 1);
    const removal = { purge, store, ratePerSecond: 0, signal };
    const reports = await Promise.all([1, 2, 3].map(() => removeDoomedObjects(removal)));
    expect(reports.reduce((sum, { objects }) => sum + objects, 0)).toBe(3000);
    expect(await leftInStore()).toEqual([]);
  });

  it('goes at the rate that was set, and ends where it is told to', async () => {
    await doom(60, 1);
    const stop = new AbortController();
    // At one in a second the first slice waits for longer than this test may take.
    const removing = removeDoomedObjects({ purge, store, ratePerSecond: 1, signal: stop.signal });
    stop.abort();
    expect(await removing).toEqual({ objects: 0, bytes: 0, failures: [] });
    expect(await leftInStore()).toHaveLength(60);
  });
});
