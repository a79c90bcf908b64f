import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBlobStore, openBlobStore, storageConfig } from '@entrepot/blob-store';
import {
  checkStore,
  type ObjectKey,
  type StoreFinding,
  type StorePlace,
  type StoreRoom,
  type StoreTally,
} from '@entrepot/content';
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

async function check(
  other: Partial<StoreRoom> = {},
  store: MemoryBlobStore = world.store,
  found: StoreFinding[] = [],
): Promise<StoreFinding[]> {
  return checkPlace(other, { name: 'memory', keyPattern: '^[0-9a-f]{8}-', store }, found);
}

async function checkPlace(
  other: Partial<StoreRoom>,
  place: StorePlace,
  found: StoreFinding[] = [],
): Promise<StoreFinding[]> {
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
    const found: StoreFinding[] = [];
    const looking = check({ repairs: true }, new MemoryBlobStore(), found);
    await expect(looking).rejects.toThrow('it shows none of 5 objects that it should have');
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
    for (const repairs of [false, true, true]) {
      const found = await check({ repairs, ownsStores: false });
      expect(found).toMatchObject([{ kind: 'object-unknown', key, isRepaired: false, isBeyondRepair: true }]);
      expect(found[0]?.note).toContain('it may be that of another one');
    }
    expect(tally).toMatchObject({ waiting: 0, doomed: 0 });
  });

  it('a blob in quarantine: it is named until it was pushed again', async () => {
    const digest = await world.pushBlob('lost');
    await world.pushBlob('sound');
    const key = await keyOf(digest);
    await world.store.remove(key);
    expect(await check({ repairs: true })).toMatchObject([{ kind: 'object-missing', digest, isRepaired: true }]);
    for (const repairs of [false, true]) {
      const [finding, ...others] = await check({ repairs });
      expect(finding).toMatchObject({ kind: 'object-missing', digest, key, isRepaired: false, isBeyondRepair: true });
      expect(finding?.note).toMatch(/^in quarantine since 2.*; push it again$/);
      expect(others).toEqual([]);
    }
    await world.pushBlob('lost');
    expect(await check()).toEqual([]);
  });

  it('a file of another name: a candidate first, and removed by the key that it was given', async () => {
    const root = await mkdtemp(join(tmpdir(), 'strays-'));
    const place = (await openBlobStore(storageConfig.parse({ root }), root)).current;
    const path = 'objects/f7/de/stray-file';
    await mkdir(join(root, 'objects/f7/de'), { recursive: true });
    await writeFile(join(root, path), 'stray');
    const [found, ...others] = await checkPlace({}, place);
    expect(found).toMatchObject({ kind: 'object-unknown', isRepaired: false });
    expect([found?.note.startsWith(`${path}: no row knows it`), others]).toEqual([true, []]);
    expect(await checkPlace({ repairs: true }, place)).toMatchObject([{ key: found?.key, isRepaired: true }]);
    expect(await checkPlace({ repairs: true, ageMs: -60_000 }, place)).toEqual([]);
    const { rows } = await world.owner.query<{ object_key: ObjectKey }>('SELECT object_key FROM doomed_object');
    expect(rows).toEqual([{ object_key: found?.key }]);
    await place.store.remove(rows[0]?.object_key as ObjectKey);
    expect(await readdir(join(root, 'objects/f7/de'))).toEqual([]);
    await rm(root, { recursive: true });
  });

  it('the record of an object that was lost: the blob is named, and the record is left to it', async () => {
    const root = await mkdtemp(join(tmpdir(), 'records-'));
    const place = (await openBlobStore(storageConfig.parse({ root }), root)).current;
    const digest = await world.pushBlob('first');
    const key = await put(place.store, [Buffer.from('first')]);
    await world.owner.query('UPDATE blob SET object_key = $1', [key]);
    await rm(join(root, 'objects', key.slice(0, 2), key.slice(2, 4), key));
    expect(await checkPlace({}, place)).toMatchObject([{ kind: 'object-missing', digest, key }]);
    await world.owner.query('TRUNCATE repository_blob, blob CASCADE');
    const [left, ...others] = await checkPlace({}, place);
    expect(left).toMatchObject({ kind: 'object-unknown', key: expect.stringMatching(/^stray-/) });
    expect(others).toEqual([]);
    await rm(root, { recursive: true });
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
