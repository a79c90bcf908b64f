import { MemoryBlobStore } from '@entrepot/blob-store';
import { checkStore, type ObjectKey, type StoreFinding, type StoreRoom, type StoreTally } from '@entrepot/content';
import { put, readAll } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresObjectLedger, PostgresQuarantine, PostgresSweepCandidates, migrate } from '../index.js';
import { ContentWorld } from './content-world.suite.js';
import { InterruptedLedger } from './interrupted-ledger.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });

let world: ContentWorld;
let tally: StoreTally;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE sweep_candidate, doomed_object, upload, repository_blob, blob CASCADE');
});

afterEach(() => world.close());

async function check(other: Partial<StoreRoom> = {}, store = world.store): Promise<StoreFinding[]> {
  const room: StoreRoom = {
    ledger: new PostgresObjectLedger(world.jobs),
    candidates: new PostgresSweepCandidates(world.jobs),
    quarantine: new PostgresQuarantine(world.jobs),
    signal: new AbortController().signal,
    run: `fsck ${performance.now()}`,
    ageMs: 0,
    isDeep: false,
    repairs: false,
    ownsStores: true,
    paceBytes: async () => undefined,
    note: () => undefined,
    ...other,
  };
  tally = { objects: 0, bytes: 0, waiting: 0, doomed: 0 };
  const found: StoreFinding[] = [];
  const place = { name: 'memory', keyPattern: '^[0-9a-f]{8}-', store };
  for await (const finding of checkStore(room, place, tally)) found.push(finding);
  return found;
}

async function keyOf(digest: Digest): Promise<ObjectKey> {
  return (await new PostgresObjectLedger(world.jobs).blob(digest))?.objectKey as ObjectKey;
}

const meanwhile = (work: () => Promise<unknown>) => ({ ledger: new InterruptedLedger(world.jobs, work) });

describe('a check of a store, and', () => {
  it('a push in between: no finding', async () => {
    await world.pushBlob('there');
    expect(await check(meanwhile(() => world.pushBlob('new')))).toEqual([]);
    expect(tally.objects).toBe(1);
  });

  it('the end of a blob in between: no finding', async () => {
    const key = await keyOf(await world.pushBlob('goes'));
    const remove = async () => {
      await world.owner.query('TRUNCATE repository_blob, blob CASCADE');
      await world.store.remove(key);
    };
    expect(await check(meanwhile(remove))).toEqual([]);
  });

  it('the move of a blob in between: no finding', async () => {
    const digest = await world.pushBlob('moves');
    await world.pushBlob('stays');
    const [from, to] = [await keyOf(digest), await put(world.store, [Buffer.from('moves')])];
    await world.owner.query(`INSERT INTO doomed_object (object_key, reason) VALUES ($1, 'being copied')`, [to]);
    const move = async () => {
      await world.owner.query('DELETE FROM doomed_object');
      await world.owner.query('UPDATE blob SET object_key = $1 WHERE object_key = $2', [to, from]);
      await world.store.remove(from);
    };
    expect(await check(meanwhile(move))).toEqual([]);
  });

  it('a store that has lost everything: each blob is named, and nothing is put into quarantine', async () => {
    const digests = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((content) => world.pushBlob(content)));
    const found = await check({ repairs: true }, new MemoryBlobStore());
    expect(found.map(({ digest }) => digest).toSorted()).toEqual(digests.toSorted());
    for (const { kind, isRepaired, note } of found) {
      expect([kind, isRepaired]).toEqual(['object-missing', false]);
      expect(note).toContain('is it mounted?');
    }
    const { rows } = await world.owner.query('SELECT FROM blob WHERE fault IS NOT NULL');
    expect(rows).toEqual([]);
  });

  it('an object that no row knows: a first repair notes it, a second one dooms it, as sweeps do', async () => {
    const digest = await world.pushBlob('known');
    const key = await put(world.store, [Buffer.from('stray')]);
    expect(await check()).toMatchObject([{ kind: 'object-unknown', key, isRepaired: false }]);
    expect(await check({ repairs: true, ageMs: 3_600_000 })).toMatchObject([{ key, isRepaired: true }]);
    expect(await check()).toEqual([]);
    expect(tally.waiting).toBe(1);
    expect(await check({ repairs: true, ageMs: 3_600_000 })).toEqual([]);
    expect(tally.doomed).toBe(0);
    expect(await check({ repairs: true })).toEqual([]);
    expect(tally.doomed).toBe(1);
    const { rows } = await world.owner.query('SELECT object_key FROM doomed_object');
    expect(rows).toEqual([{ object_key: world.store.uploadOf(key) }]);
    expect(String(await readAll(world.store, await keyOf(digest)))).toBe('known');
  });

  it('a database that is new to the store: unknown objects are named, and left alone', async () => {
    const key = await put(world.store, [Buffer.from('of a lost database')]);
    for (let run = 0; run < 2; run += 1) {
      const found = await check({ repairs: true, ownsStores: false });
      expect(found).toMatchObject([{ kind: 'object-unknown', key, isRepaired: false }]);
    }
    expect(tally).toMatchObject({ waiting: 0, doomed: 0 });
  });

  it('a record that says something else: it is read where the check is deep, and written anew', async () => {
    const digest = await world.pushBlob('recorded');
    const key = await keyOf(digest);
    await world.store.writeRecord(key, { digest: 'sha256:other', sizeBytes: 8, createdAt: '' });
    expect(await check()).toEqual([]);
    expect(await check({ isDeep: true, repairs: true })).toMatchObject([{ kind: 'record-wrong', key, digest }]);
    expect(await world.store.record(key)).toMatchObject({ digest, sizeBytes: 8 });
    expect(await check({ isDeep: true })).toEqual([]);
  });
});
