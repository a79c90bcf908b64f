import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  JoinedBlobStore,
  MemoryBlobStore,
  MemoryRecoveryLog,
  openPlace,
  storageConfig,
  type ObjectPlace,
} from '@entrepot/blob-store';
import {
  appendChunk,
  finishUpload,
  readSweepState,
  sweepStores,
  type ObjectKey,
  type SweepRoom,
  type SweepState,
  type SweepTally,
} from '@entrepot/content';
import { START, finished, listed, put, readAll, suspended } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { isS3ServerSkipped, newTestBucket, type S3ServerKind } from '@entrepot/testkit/test-bucket';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresObjectLedger, PostgresPurge, PostgresQuarantine, PostgresSweepCandidates, migrate } from '../index.js';
import { ContentWorld, sha256 } from './content-world.suite.js';
import { InterruptedLedger } from './interrupted-ledger.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const HOUR_MS = 3_600_000;
const PARTS = randomBytes(6 * 1024 * 1024);

let world: ContentWorld;
let root: string;
let places: ObjectPlace[];
let lines: string[];

const openFiles = () => openPlace('filesystem', storageConfig.parse({ root }), root);

async function openBucket(kind: S3ServerKind = 'versitygw'): Promise<ObjectPlace> {
  const { endpoint, bucket, region, accessKey, secretKey } = await newTestBucket(kind);
  return openPlace('s3', storageConfig.parse({ driver: 's3', endpoint, bucket, region, accessKey, secretKey }), root);
}

const STORES = [
  { name: 'files', open: async () => [await openFiles()] },
  ...(isS3ServerSkipped('versitygw')
    ? []
    : [
        { name: 's3', open: async () => [await openBucket()] },
        { name: 'files beside s3', open: async () => [await openFiles(), await openBucket()] },
      ]),
  ...(isS3ServerSkipped('swift') ? [] : [{ name: 'swift', open: async () => [await openBucket('swift')] }]),
];

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'sweep-'));
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE sweep_candidate, doomed_object, upload, repository_blob, blob CASCADE');
  lines = [];
});

afterEach(async () => {
  await world.close();
  await rm(root, { recursive: true });
});

function open(stores: ObjectPlace[]): void {
  places = stores;
  Object.assign(world.room, { store: new JoinedBlobStore(current(), stores), maxBlobBytes: 2 * PARTS.length });
}

/** Where pushes go: the last of the stores. */
const current = (): ObjectPlace => places.at(-1) as ObjectPlace;

let runs = 0;

function sweep(other: Partial<SweepRoom> = {}, from?: SweepState): Promise<SweepTally> {
  runs += 1;
  const room: SweepRoom = {
    ledger: new PostgresObjectLedger(world.jobs),
    candidates: new PostgresSweepCandidates(world.jobs),
    quarantine: new PostgresQuarantine(world.jobs),
    signal: new AbortController().signal,
    run: `run ${runs}`,
    ageMs: 0,
    isDry: false,
    pace: async () => undefined,
    log: (line) => void lines.push(line),
    note: async () => undefined,
    ...other,
  };
  return sweepStores(room, places, from);
}

/** Removes what is doomed, as the collector does. */
async function collect(): Promise<void> {
  const purge = new PostgresPurge(world.jobs);
  for (const key of await purge.claimDoomedObjects(1000)) await world.room.store.remove(key);
  await world.owner.query('TRUNCATE doomed_object');
}

async function storedKeys(): Promise<ObjectKey[]> {
  const keys = [];
  for (const { store } of places) keys.push(...(await listed(store)).map(({ key }) => key));
  return keys.toSorted();
}

async function keyOf(digest: Digest): Promise<ObjectKey> {
  return (await new PostgresObjectLedger(world.jobs).blob(digest))?.objectKey as ObjectKey;
}

async function faultOf(digest: Digest): Promise<string | undefined> {
  return (await new PostgresObjectLedger(world.jobs).blob(digest))?.fault;
}

const body = async function* (bytes: Buffer) {
  yield bytes;
};

describe.each(STORES)('a sweep of $name', ({ open: openStores }) => {
  beforeEach(async () => open(await openStores()));

  it('dooms what no row knows when it sees it again, and not before it is old enough', async () => {
    const digest = await world.pushBlob('known');
    const strays: ObjectKey[] = [];
    for (const { store } of places) strays.push(await put(store, [Buffer.from('stray')]));
    const count = strays.length;
    expect(await sweep()).toMatchObject({ unknownObjects: count, newCandidates: count, objectsDoomed: 0 });
    expect(await sweep({ ageMs: HOUR_MS })).toMatchObject({
      unknownObjects: count,
      newCandidates: 0,
      objectsDoomed: 0,
    });
    expect(await sweep()).toMatchObject({ objectsDoomed: count, bytesDoomed: 5 * count });
    expect(lines.filter((line) => line.startsWith('doomed ')).length).toBe(count);
    expect(await sweep()).toMatchObject({ unknownObjects: 0, objectsDoomed: 0 });
    await collect();
    expect(await storedKeys()).toEqual([await keyOf(digest)]);
  });

  it('takes what a dead writer left of an upload that is gone: pieces, parts and tails', async () => {
    const { store } = current();
    await suspended(store, store.newKey(), PARTS);
    await suspended(store, store.newKey(), Buffer.from('tail'));
    const killed = await store.write(store.newKey(), START);
    await killed.write(PARTS);
    await killed.flush();
    await killed.abandon();
    await sweep();
    await sweep();
    await collect();
    expect(await storedKeys()).toEqual([]);
    expect(await sweep()).toMatchObject({ forgottenCandidates: 0, unknownObjects: 0 });
  });

  it('leaves the object of a blob when it takes what lies beside it', async () => {
    const { store } = current();
    const upload = await world.begin();
    await appendChunk(world.room, upload, { stateOffset: 0 }, body(PARTS));
    const { rows } = await world.owner.query<{ object_key: ObjectKey; resume: string }>('SELECT * FROM upload');
    const row = rows[0] as { object_key: ObjectKey; resume: string | null };
    const state = { offsetBytes: PARTS.length, wasAbandoned: true, ...(row.resume !== null && { resume: row.resume }) };
    // Another writer, which nobody heard of any more, has copied and completed the same bytes under another name.
    const left = await finished(store, row.object_key, state, 'late');
    const object = await finished(store, row.object_key, state, 'end');
    const digest = sha256(Buffer.concat([PARTS, Buffer.from('end')]));
    await world.owner.query(
      `WITH gone AS (DELETE FROM upload RETURNING id)
       INSERT INTO blob (digest, size_bytes, object_key) SELECT decode($1, 'hex'), $2, $3 FROM gone`,
      [`01${digest.slice('sha256:'.length)}`, PARTS.length + 3, object],
    );
    expect((await sweep()).unknownObjects).toBeGreaterThanOrEqual(1);
    expect(lines.join('\n')).toContain(`left beside ${object}`);
    await sweep();
    await collect();
    expect(await storedKeys()).toEqual([object]);
    expect(left).not.toBe(object);
    expect((await readAll(store, object)).length).toBe(PARTS.length + 3);
  });

  it('touches nothing that a row knows: uploads under way, doomed objects, copies that are held', async () => {
    const { store } = current();
    const upload = await world.begin();
    await appendChunk(world.room, upload, { stateOffset: 0 }, body(PARTS));
    const running = await world.begin();
    await appendChunk(world.room, running, { stateOffset: 0 }, body(Buffer.from('few')));
    const held = store.newKey();
    await world.owner.query(`INSERT INTO doomed_object VALUES ($1, 'being copied', now(), now() + interval '1 h')`, [
      held,
    ]);
    await suspended(store, held, PARTS);
    await world.pushBlob('known');
    for (let run = 0; run < 3; run += 1) expect(await sweep()).toMatchObject({ unknownObjects: 0, objectsDoomed: 0 });
    const whole = sha256(Buffer.concat([PARTS, Buffer.from('end')]));
    await finishUpload(world.room, {
      ref: upload,
      digest: whole,
      last: { position: { stateOffset: PARTS.length }, body: body(Buffer.from('end')) },
    });
    expect(await sweep()).toMatchObject({ unknownObjects: 0, missing: 0 });
    expect((await readAll(world.room.store, await keyOf(whole))).length).toBe(PARTS.length + 3);
  });

  it('says in a dry run what it would do, and does nothing', async () => {
    const { store } = current();
    const digest = await world.pushBlob('will be lost');
    await world.pushBlob('will stay');
    await put(store, [Buffer.from('stray')]);
    await sweep();
    lines = [];
    const before = await storedKeys();
    await store.remove(await keyOf(digest));
    expect(await sweep({ isDry: true })).toMatchObject({
      objectsDoomed: 1,
      bytesDoomed: 5,
      missing: 1,
      quarantined: 0,
    });
    expect(lines.join('\n')).toMatch(/unknown .*5 bytes, modified .*unknown since .*would be removed/);
    expect(lines.join('\n')).toContain(`missing: the object ${await keyOf(digest)} of ${digest}`);
    expect(await faultOf(digest)).toBeUndefined();
    expect((await storedKeys()).length).toBe(before.length - 1);
    expect((await world.owner.query('SELECT FROM doomed_object')).rowCount).toBe(0);
  });

  it('puts blobs without their object, or with half of it, into quarantine; a push heals them', async () => {
    const { store, name } = current();
    const [lost, cut] = [await world.pushBlob('lost'), await world.pushBlob('cut short')];
    await world.pushBlob('sound');
    await store.remove(await keyOf(lost));
    if (name === 'filesystem') {
      const key = await keyOf(cut);
      await truncate(join(root, 'objects', key.slice(0, 2), key.slice(2, 4), key), 3);
    }
    expect(await sweep()).toMatchObject({ missing: 1, quarantined: name === 'filesystem' ? 2 : 1 });
    expect(await faultOf(lost)).toBe('missing');
    expect(await faultOf(cut)).toBe(name === 'filesystem' ? 'short' : undefined);
    expect(await sweep()).toMatchObject({ missing: 0, short: 0, quarantined: 0, unknownObjects: 0 });
    for (const content of ['lost', 'cut short']) await world.pushBlob(content);
    expect([await faultOf(lost), await faultOf(cut)]).toEqual([undefined, undefined]);
    await collect();
    expect(String(await readAll(world.room.store, await keyOf(lost)))).toBe('lost');
    expect(await storedKeys()).toHaveLength(3);
  });

  it('takes an empty store for another one, and its blobs for sound', async () => {
    const digests = await Promise.all(['a', 'b', 'c', 'd', 'e'].map((content) => world.pushBlob(content)));
    for (const digest of digests) await current().store.remove(await keyOf(digest));
    await expect(sweep()).rejects.toThrow(/shows none of 5 objects that it should have/);
    expect(await Promise.all(digests.map(faultOf))).toEqual(digests.map(() => undefined));
  });

  it('goes on where another worker stopped', async () => {
    for (let index = 0; index < 3; index += 1) await put(current().store, [Buffer.from('stray')]);
    const noted: SweepState[] = [];
    const dying = sweep({
      run: 'one run',
      note: async (state) => {
        noted.push(structuredClone(state));
        throw new Error('killed');
      },
    });
    await expect(dying).rejects.toThrow('killed');
    const state = readSweepState(JSON.parse(JSON.stringify(noted[0])));
    expect(await sweep({ run: 'one run' }, state)).toMatchObject({ newCandidates: 3, objectsDoomed: 0 });
    expect(await sweep()).toMatchObject({ objectsDoomed: 3 });
  });

  it('forgets candidates that went, and those that a row knows', async () => {
    const { store } = current();
    const gone = await put(store, [Buffer.from('gone')]);
    const known = await put(store, [Buffer.from('known')]);
    await sweep();
    await store.remove(gone);
    await world.owner.query('INSERT INTO doomed_object (object_key, reason) VALUES ($1, $2)', [known, 'spec']);
    expect(await sweep()).toMatchObject({ forgottenCandidates: 2, objectsDoomed: 0, unknownObjects: 0 });
  });
});

const between = (work: () => Promise<unknown>) => ({ ledger: new InterruptedLedger(world.jobs, work) });

describe('a sweep, and', () => {
  beforeEach(() => open([{ ...memoryPlace(), store: world.store }]));

  it('an upload that ends in between: its object is never doomed', async () => {
    const ref = await world.begin();
    await appendChunk(world.room, ref, { stateOffset: 0 }, body(Buffer.from('whole')));
    const digest = sha256('whole');
    const end = () =>
      finishUpload(world.room, { ref, digest, last: { position: { stateOffset: 5 }, body: body(Buffer.alloc(0)) } });
    expect(await sweep(between(end))).toMatchObject({ objectsDoomed: 0, missing: 0 });
    expect(await sweep()).toMatchObject({ unknownObjects: 0, objectsDoomed: 0, missing: 0 });
    expect(String(await readAll(world.store, await keyOf(digest)))).toBe('whole');
  });

  it('an upload that begins and ends in between: it is not taken for lost', async () => {
    await put(world.store, [Buffer.from('stray')]);
    const tally = await sweep(between(() => world.pushBlob('new')));
    expect(tally).toMatchObject({ unknownObjects: 1, missing: 0, quarantined: 0 });
  });

  it('a blob that goes in between: what was listed is at most a candidate, and forgotten', async () => {
    const digest = await world.pushBlob('goes');
    const key = await keyOf(digest);
    const remove = async () => {
      await world.owner.query('TRUNCATE repository_blob, blob CASCADE');
      await world.store.remove(key);
    };
    expect(await sweep(between(remove))).toMatchObject({ unknownObjects: 1, objectsDoomed: 0, missing: 0 });
    expect(await sweep()).toMatchObject({ forgottenCandidates: 1, objectsDoomed: 0 });
  });

  it('an object that a row knows at the last moment: it is not doomed', async () => {
    const key = await put(world.store, [Buffer.from('restored')]);
    await sweep();
    class Restoring extends PostgresSweepCandidates {
      override async judge(page: Parameters<PostgresSweepCandidates['judge']>[0]) {
        const text = `INSERT INTO blob (digest, size_bytes, object_key) VALUES ('\\x01', 8, $1) ON CONFLICT DO NOTHING`;
        await world.owner.query(text, [key]);
        return super.judge(page);
      }
    }
    expect(await sweep({ candidates: new Restoring(world.jobs) })).toMatchObject({
      unknownObjects: 1,
      objectsDoomed: 0,
    });
    expect(await sweep()).toMatchObject({ unknownObjects: 0, forgottenCandidates: 1 });
  });

  it('a clock of the store that is days ahead of the database: ages are by the one only', async () => {
    const aheadMs = 48 * HOUR_MS;
    const ahead = (at: Date) => new Date(at.getTime() + aheadMs);
    class Ahead extends MemoryBlobStore {
      override async now() {
        return ahead(await super.now());
      }
      override async *listUpload(upload: ObjectKey) {
        for await (const object of super.listUpload(upload)) yield { ...object, modifiedAt: ahead(object.modifiedAt) };
      }
    }
    const store = new Ahead();
    open([{ ...memoryPlace(), store }]);
    await put(store, [Buffer.from('stray')]);
    await sweep({ ageMs: HOUR_MS });
    expect(await sweep({ ageMs: HOUR_MS })).toMatchObject({ unknownObjects: 1, objectsDoomed: 0 });
    expect(await sweep()).toMatchObject({ objectsDoomed: 1 });
  });

  it('its own death at any step: another one goes on, and takes what is unknown and nothing else', async () => {
    const kept = await world.pushBlob('kept');
    for (let lastStep = 0; ; lastStep += 1) {
      await put(world.store, [Buffer.from('stray')]);
      await sweep();
      const lost = await world.pushBlob(`lost at ${lastStep}`);
      await world.store.remove(await keyOf(lost));
      let step = 0;
      let state: SweepState | undefined;
      const room = {
        run: `dying ${lastStep}`,
        ledger: dying(new PostgresObjectLedger(world.jobs), () => (step += 1) > lastStep),
        candidates: dying(new PostgresSweepCandidates(world.jobs), () => (step += 1) > lastStep),
        quarantine: dying(new PostgresQuarantine(world.jobs), () => (step += 1) > lastStep),
        note: async (noted: SweepState) => {
          if ((step += 1) > lastStep) throw new Error('dead');
          state = readSweepState(JSON.parse(JSON.stringify(noted)));
        },
      };
      const isWhole = await sweep(room).then(
        () => true,
        () => false,
      );
      if (!isWhole) await sweep({ run: room.run }, state);
      expect(await faultOf(lost)).toBe('missing');
      await collect();
      expect(await storedKeys()).toEqual([await keyOf(kept)]);
      if (isWhole) break;
      await world.owner.query('DELETE FROM repository_blob WHERE digest = $1', [digestBytes(lost)]);
      await world.owner.query('DELETE FROM blob WHERE digest = $1', [digestBytes(lost)]);
    }
  });

  it('pushes all the while: nothing of theirs is ever doomed', async () => {
    const contents = Array.from({ length: 60 }, (_, index) => `pushed ${index}`);
    const pushed = new AbortController();
    const sweeping = (async () => {
      while (!pushed.signal.aborted) expect(await sweep()).toMatchObject({ objectsDoomed: 0, quarantined: 0 });
    })();
    const digests: Digest[] = [];
    for (const content of contents) digests.push(await world.pushBlob(content));
    pushed.abort();
    await sweeping;
    for (const [index, digest] of digests.entries()) {
      expect(String(await readAll(world.store, await keyOf(digest)))).toBe(contents[index]);
    }
  });
});

/** The same port, dead from the call on that `isDead` says. */
function dying<T extends object>(port: T, isDead: () => boolean): T {
  return new Proxy(port, {
    get: (target, name) => {
      const found: unknown = Reflect.get(target, name);
      if (typeof found !== 'function') return found;
      return async (...args: unknown[]): Promise<unknown> => {
        if (isDead()) throw new Error('dead');
        return found.apply(target, args) as unknown;
      };
    },
  });
}

function memoryPlace(): Omit<ObjectPlace, 'store'> {
  const recovery = new MemoryRecoveryLog();
  return { name: 'memory', where: 'here', keyPattern: '^[0-9a-f]{8}-', isRemote: false, recovery };
}
