import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  JoinedBlobStore,
  MemoryRecoveryLog,
  openBlobStore,
  storageConfig,
  type ObjectPlace,
} from '@entrepot/blob-store';
import {
  migrateObjects,
  newTally,
  type FinishedMove,
  type MigrationTally,
  type MoveRoom,
  type ObjectKey,
} from '@entrepot/content';
import { readAll } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresObjectMoves, PostgresPurge, migrate } from '../index.js';
import { ContentWorld } from './content-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const KEEP_MS = 60_000;
const CONTENTS = ['first', 'second', 'third'];
const MEMORY_KEYS = '^[0-9a-f]{8}-';

let world: ContentWorld;
let root: string;
let files: ObjectPlace;
let memory: ObjectPlace;
let joined: JoinedBlobStore;
let room: MoveRoom;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE doomed_object, repository_blob, blob_review, blob CASCADE');
  root = await mkdtemp(join(tmpdir(), 'moves-'));
  files = (await openBlobStore(storageConfig.parse({ root }), root)).current;
  memory = {
    name: 'memory',
    where: 'here',
    keyPattern: MEMORY_KEYS,
    store: world.store,
    isRemote: false,
    recovery: new MemoryRecoveryLog(),
  };
  joined = new JoinedBlobStore(files, [files, memory]);
  room = {
    moves: new PostgresObjectMoves(world.jobs),
    source: joined,
    target: files.store,
    keepMs: KEEP_MS,
    signal: new AbortController().signal,
    pace: async () => undefined,
  };
});

afterEach(async () => {
  await world.close();
  await rm(root, { recursive: true });
});

async function migrateTo({ keyPattern }: ObjectPlace, other: Partial<MoveRoom> = {}): Promise<MigrationTally> {
  const tally = newTally();
  await migrateObjects({ room: { ...room, ...other }, keyPattern, repeats: false }, tally);
  return tally;
}

const pushAll = () => Promise.all(CONTENTS.map((content) => world.pushBlob(content)));

async function keyOf(digest: Digest): Promise<ObjectKey> {
  return (await world.reader.blob(world.repositoryId, digest))?.objectKey as ObjectKey;
}

const placesOf = (digests: readonly Digest[]) =>
  Promise.all(digests.map(async (digest) => joined.placeOf(await keyOf(digest)).name));

/** What clients would get. */
const contentsOf = (digests: readonly Digest[]) =>
  Promise.all(digests.map(async (digest) => String(await readAll(joined, await keyOf(digest)))));

async function purgeDue(): Promise<void> {
  const purge = new PostgresPurge(world.jobs);
  for (const key of await purge.claimDoomedObjects(1000)) {
    await joined.remove(key);
    await purge.forgetDoomedObjects([key]);
  }
}

/** Everything that is doomed goes, whenever it is due. */
async function purgeAll(): Promise<void> {
  await world.owner.query('UPDATE doomed_object SET due_at = now()');
  await purgeDue();
}

async function storedKeys(): Promise<ObjectKey[]> {
  const keys: ObjectKey[] = [];
  for await (const { key } of joined.list()) keys.push(key);
  return keys.toSorted();
}

/** No object without a row once the doomed ones are gone, and no row without its object. */
async function expectNothingLost(): Promise<void> {
  await purgeAll();
  const { rows } = await world.owner.query<{ object_key: ObjectKey }>('SELECT object_key FROM blob');
  expect(await storedKeys()).toEqual(rows.map((row) => row.object_key).toSorted());
}

async function doomedBytes(): Promise<number> {
  const { rows } = await world.owner.query<{ bytes: number }>(
    'SELECT coalesce(sum(size_bytes), 0)::int AS bytes FROM doomed_object',
  );
  return rows[0]?.bytes ?? Number.NaN;
}

async function doomedKeys(): Promise<ObjectKey[]> {
  const { rows } = await world.owner.query<{ object_key: ObjectKey }>('SELECT object_key FROM doomed_object');
  return rows.map((row) => row.object_key);
}

/** Runs `work` once, when the first bytes are copied. */
const meanwhile = (work: () => Promise<unknown>): Partial<MoveRoom> => {
  let done: Promise<unknown> | undefined;
  return { pace: async () => void (await (done ??= work())) };
};

describe('a migration', () => {
  it('moves every blob, verified, and keeps the old objects for a while', async () => {
    const digests = await pushAll();
    const old = await Promise.all(digests.map(keyOf));
    expect(await room.moves.countMisplaced(files.keyPattern)).toEqual({ blobs: 3, sizeBytes: 16 });
    const tally = await migrateTo(files);
    expect(tally).toMatchObject({ movedBlobs: 3, movedBytes: 16, copiedBytes: 16, failedBlobs: 0, overtakenBlobs: 0 });
    expect(await placesOf(digests)).toEqual(['filesystem', 'filesystem', 'filesystem']);
    expect(await contentsOf(digests)).toEqual(CONTENTS);
    expect(await room.moves.countMisplaced(files.keyPattern)).toEqual({ blobs: 0, sizeBytes: 0 });
    expect((await doomedKeys()).toSorted()).toEqual(old.toSorted());
    expect(await doomedBytes()).toBe(16);
    await purgeDue();
    expect(await doomedKeys()).toHaveLength(3);
    await expectNothingLost();
    expect(await contentsOf(digests)).toEqual(CONTENTS);
  });

  it('has nothing to do the second time, and goes back the same way', async () => {
    const digests = await pushAll();
    await migrateTo(files);
    expect(await migrateTo(files)).toMatchObject({ movedBlobs: 0, copiedBytes: 0 });
    expect(await migrateTo(memory, { target: memory.store })).toMatchObject({ movedBlobs: 3 });
    expect(await placesOf(digests)).toEqual(['memory', 'memory', 'memory']);
    expect(await contentsOf(digests)).toEqual(CONTENTS);
    await expectNothingLost();
  });

  it('pages through more blobs than it looks at together', async () => {
    const many = Array.from({ length: 230 }, (_, index) => `blob ${index}`);
    for (const content of many) await world.pushBlob(content);
    expect(await migrateTo(files)).toMatchObject({ movedBlobs: 230, failedBlobs: 0 });
    await expectNothingLost();
  });

  it('leaves a blob whose object is damaged or gone where it is', async () => {
    const digests = await pushAll();
    await migrateTo(files);
    const [damaged, gone, sound] = digests as [Digest, Digest, Digest];
    const key = await keyOf(damaged);
    await writeFile(join(root, 'objects', key.slice(0, 2), key.slice(2, 4), key), 'worst');
    await files.store.remove(await keyOf(gone));
    const tally = await migrateTo(memory, { target: memory.store });
    expect(tally).toMatchObject({ movedBlobs: 1, failedBlobs: 2 });
    expect(tally.failures.map(({ error }) => (error as Error).name).toSorted()).toEqual([
      'ObjectCorrupt',
      'ObjectMissing',
    ]);
    expect(await placesOf([damaged, gone, sound])).toEqual(['filesystem', 'filesystem', 'memory']);
  });

  it('ends when it is told to, in the middle of an object', async () => {
    await pushAll();
    const abort = new AbortController();
    const pace = async () => abort.abort(new Error('stopped'));
    await expect(migrateTo(files, { signal: abort.signal, pace })).rejects.toThrow('stopped');
    await expectNothingLost();
    expect(await migrateTo(files)).toMatchObject({ movedBlobs: 3 });
  });
});

describe('a migration, and', () => {
  it('an upload of the same blob: one object stays', async () => {
    const digest = await world.pushBlob('shared');
    const other = await world.newRepository('other');
    const tally = await migrateTo(
      files,
      meanwhile(() => world.pushBlob('shared', other)),
    );
    expect(tally.movedBlobs).toBe(1);
    expect(await contentsOf([digest])).toEqual(['shared']);
    await expectNothingLost();
  });

  it('an upload that commits while the move does: it keeps the object of the move', async () => {
    const digest = await world.pushBlob('at once');
    const upload = await world.holdSql((client) =>
      client.query('UPDATE blob SET seen_at = now() WHERE digest = $1', [digestBytes(digest)]),
    );
    const moved = migrateTo(files);
    await world.untilWaiting();
    await upload.commit();
    expect(await moved).toMatchObject({ movedBlobs: 1 });
    await expectNothingLost();
  });

  it('the end of the blob: the copy is doomed', async () => {
    const digest = await world.pushBlob('collected');
    const collect = () =>
      world.owner.query(
        `WITH gone AS (DELETE FROM repository_blob WHERE digest = $1),
           blob AS (DELETE FROM blob WHERE digest = $1 RETURNING object_key)
         INSERT INTO doomed_object (object_key, reason) SELECT object_key, 'spec' FROM blob`,
        [digestBytes(digest)],
      );
    expect(await migrateTo(files, meanwhile(collect))).toMatchObject({ movedBlobs: 0, overtakenBlobs: 1 });
    await expectNothingLost();
    expect(await storedKeys()).toEqual([]);
  });

  it('another migration: each blob is moved once', async () => {
    const digests = await pushAll();
    const tallies = await Promise.all([migrateTo(files), migrateTo(files)]);
    const sum = (count: (tally: MigrationTally) => number) => tallies.map(count).reduce((a, b) => a + b);
    expect(sum((tally) => tally.movedBlobs)).toBe(3);
    expect(sum((tally) => tally.failedBlobs)).toBe(0);
    await expectNothingLost();
    expect(await contentsOf(digests)).toEqual(CONTENTS);
  });

  it('a purge that took the copy for abandoned: the blob keeps its object', async () => {
    const digest = await world.pushBlob('slow');
    expect(await migrateTo(files, meanwhile(purgeAll))).toMatchObject({ movedBlobs: 0 });
    expect(await placesOf([digest])).toEqual(['memory']);
    expect(await contentsOf([digest])).toEqual(['slow']);
    await expectNothingLost();
  });

  it('a commit whose answer is lost: the blob has its copy', async () => {
    const digest = await world.pushBlob('ambiguous');
    class Ambiguous extends PostgresObjectMoves {
      override async finish(move: FinishedMove): Promise<boolean> {
        await super.finish(move);
        throw new Error('connection lost');
      }
    }
    expect(await migrateTo(files, { moves: new Ambiguous(world.jobs) })).toMatchObject({ failedBlobs: 1 });
    await expectNothingLost();
    expect(await contentsOf([digest])).toEqual(['ambiguous']);
  });

  it('a commit that is sent again: the blob has its copy', async () => {
    const digest = await world.pushBlob('repeated');
    class Repeated extends PostgresObjectMoves {
      override async finish(move: FinishedMove): Promise<boolean> {
        await super.finish(move);
        return super.finish(move);
      }
    }
    await migrateTo(files, { moves: new Repeated(world.jobs) });
    await expectNothingLost();
    expect(await contentsOf([digest])).toEqual(['repeated']);
  });

  it('its own death at any step: nothing is left that no row knows', async () => {
    for (let lastStep = 0; ; lastStep += 1) {
      const content = `dies at ${lastStep}`;
      const digest = await world.pushBlob(content);
      let step = 0;
      const dying = <T extends object>(part: T): T =>
        new Proxy(part, {
          get: (target, name) => {
            const found: unknown = Reflect.get(target, name);
            if (typeof found !== 'function') return found;
            return (...args: unknown[]) => {
              step += 1;
              if (step > lastStep && name !== 'newKey') return Promise.reject(new Error('dead'));
              return found.apply(target, args) as unknown;
            };
          },
        });
      const tally = await migrateTo(files, { moves: dying(room.moves), target: dying(files.store) }).catch(
        () => undefined,
      );
      await expectNothingLost();
      expect(await contentsOf([digest])).toEqual([content]);
      if (tally?.movedBlobs === 1 && step <= lastStep) break;
      await migrateTo(files);
    }
  });
});
