import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { finishUpload, scrubBlobs, type ObjectKey, type ScrubState, type ScrubTally } from '@entrepot/content';
import { readAll } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresBlobWalk, PostgresQuarantine, PostgresUploads, migrate } from '../index.js';
import { ContentWorld, imageOf, outcomeOf } from './content-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const GRACE_MS = 60_000;

let world: ContentWorld;
let quarantine: PostgresQuarantine;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE doomed_object, audit_event, outbox_event, blob CASCADE');
  quarantine = new PostgresQuarantine(world.pool);
});

afterEach(() => world.close());

async function keyOf(digest: Digest): Promise<ObjectKey> {
  const { rows } = await world.owner.query<{ object_key: ObjectKey }>('SELECT object_key FROM blob WHERE digest = $1', [
    digestBytes(digest),
  ]);
  return rows[0]?.object_key as ObjectKey;
}

async function doomed(): Promise<string[]> {
  const { rows } = await world.owner.query<{ object_key: string }>(
    `SELECT object_key FROM doomed_object WHERE reason <> 'left beside a blob' ORDER BY object_key`,
  );
  return rows.map((row) => row.object_key);
}

async function doomedBytes(): Promise<number> {
  const { rows } = await world.owner.query<{ bytes: number }>(
    `SELECT sum(size_bytes)::int AS bytes FROM doomed_object WHERE reason = 'blob healed'`,
  );
  return rows[0]?.bytes ?? Number.NaN;
}

async function audited(action: string) {
  const { rows } = await world.owner.query<{ actor_name: string; detail: Record<string, unknown> }>(
    'SELECT actor_name, detail FROM audit_event WHERE action = $1 ORDER BY id',
    [action],
  );
  return rows;
}

async function eventKinds(): Promise<string[]> {
  const { rows } = await world.owner.query<{ kind: string }>(
    `SELECT kind FROM outbox_event WHERE kind LIKE 'blob.%ed' ORDER BY kind`,
  );
  return rows.map((row) => row.kind);
}

const mountInto = (repositoryId: string, digest: Digest, from?: string) =>
  new PostgresUploads(world.pool).mount({
    repositoryId,
    digest,
    graceMs: GRACE_MS,
    source: from === undefined ? { viewer: { accountId: world.actor.id } } : { repositoryId: from },
  });

/** Other bytes under the same key, as a disk might give. */
async function rot(digest: Digest, bytes: Buffer): Promise<void> {
  const key = await keyOf(digest);
  const { read, size } = world.store;
  world.store.size = async (asked) => (asked === key ? bytes.length : size.call(world.store, asked));
  world.store.read = (asked, range, sink) =>
    asked === key ? sink(bytes.subarray(range.start, range.end + 1)) : read.call(world.store, asked, range, sink);
}

/** Whoever sends the end of an upload a second time. */
async function endTwice(content: string, between: (digest: Digest) => Promise<unknown>): Promise<unknown> {
  const ref = await world.begin();
  const body = async function* () {
    yield Buffer.from(content);
  };
  const digest = await world.pushBlob(content);
  const end = () => finishUpload(world.room, { ref, digest, last: { position: { stateOffset: 0 }, body: body() } });
  await end();
  await between(digest);
  return outcomeOf(end());
}

describe('a blob in quarantine', () => {
  it('is held by nobody: not pulled, not mounted, not named by a manifest', async () => {
    const digest = await world.pushBlob('rotten');
    const other = await world.newRepository('other');
    expect(await quarantine.quarantine(digest, await keyOf(digest), 'corrupt')).toBe(true);
    expect(await world.holdsBlob(digest)).toBe(false);
    expect(await mountInto(other, digest)).toBe(false);
    expect(await mountInto(other, digest, world.repositoryId)).toBe(false);
    expect(await mountInto(world.repositoryId, digest, world.repositoryId)).toBe(false);
    expect(await outcomeOf(world.put(imageOf([[digest, 6]]), ['latest']))).toBe('MANIFEST_BLOB_UNKNOWN');
  });

  it('is said to be so once, with the repositories that hold it', async () => {
    const digest = await world.pushBlob('rotten');
    await world.pushBlob('rotten', await world.newRepository('other'));
    const key = await keyOf(digest);
    expect(await quarantine.quarantine(digest, key, 'short')).toBe(true);
    expect(await quarantine.quarantine(digest, key, 'corrupt')).toBe(false);
    expect(await new PostgresBlobWalk(world.jobs).countQuarantined()).toBe(1);
    const { name } = world.actor;
    expect(await audited('blob.quarantined')).toEqual([
      {
        actor_name: 'gc',
        detail: {
          digest,
          fault: 'short',
          objectKey: key,
          sizeBytes: 6,
          repositoryCount: 2,
          repositories: [`${name}/app`, `${name}/other`],
        },
      },
    ]);
    expect(await eventKinds()).toEqual(['blob.quarantined']);
  });

  it('is healed in every repository by one push, whose bytes are served', async () => {
    const digest = await world.pushBlob('rotten');
    const other = await world.newRepository('other');
    await world.pushBlob('rotten', other);
    const before = await keyOf(digest);
    await world.owner.query('TRUNCATE doomed_object');
    await quarantine.quarantine(digest, before, 'missing');
    await world.pushBlob('rotten', other);
    const after = await keyOf(digest);
    expect(after).not.toBe(before);
    expect(await doomed()).toEqual([before]);
    expect(await doomedBytes()).toBe(0);
    for (const repositoryId of [world.repositoryId, other]) {
      const found = await world.reader.blob(repositoryId, digest);
      expect(String(await readAll(world.store, found?.objectKey as ObjectKey))).toBe('rotten');
    }
    expect(await mountInto(await world.newRepository('third'), digest)).toBe(true);
    const [healed] = await audited('blob.healed');
    expect(healed).toMatchObject({
      actor_name: world.actor.name,
      detail: { digest, fault: 'missing', formerKey: before, objectKey: after },
    });
    expect(await eventKinds()).toEqual(['blob.healed', 'blob.quarantined']);
  });

  it('counts the bytes of the object that was replaced as freed', async () => {
    const digest = await world.pushBlob('rotten');
    await world.owner.query('TRUNCATE doomed_object');
    await quarantine.quarantine(digest, await keyOf(digest), 'corrupt');
    await world.pushBlob('rotten');
    expect(await doomedBytes()).toBe('rotten'.length);
  });

  it('is not what an end that is sent again was promised', async () => {
    const sound = await endTwice('sound', async () => undefined);
    expect(sound).toBe('done');
    const rotten = await endTwice('rotten', async (digest) =>
      quarantine.quarantine(digest, await keyOf(digest), 'corrupt'),
    );
    expect(rotten).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('is taken out again where its bytes were found right', async () => {
    const digest = await world.pushBlob('restored');
    const key = await keyOf(digest);
    await quarantine.quarantine(digest, key, 'missing');
    expect(await quarantine.release(digest, key)).toBe(true);
    expect(await quarantine.release(digest, key)).toBe(false);
    expect(await world.holdsBlob(digest)).toBe(true);
    expect(await doomed()).toEqual([]);
    expect(await audited('blob.healed')).toMatchObject([{ actor_name: 'gc' }]);
  });
});

describe('a quarantine, and', () => {
  it('a blob that has another object by now: nothing is changed', async () => {
    const digest = await world.pushBlob('moved');
    expect(await quarantine.quarantine(digest, 'another' as ObjectKey, 'missing')).toBe(false);
    expect(await world.holdsBlob(digest)).toBe(true);
    expect(await eventKinds()).toEqual([]);
  });

  it('an upload that waits for it: the upload heals, and the bad object is doomed', async () => {
    const digest = await world.pushBlob('at once');
    const before = await keyOf(digest);
    const first = await world.holdSql((client) =>
      client.query(`UPDATE blob SET fault = 'corrupt', fault_at = now() WHERE digest = $1`, [digestBytes(digest)]),
    );
    expect(await world.overtake(first, world.pushBlob('at once'))).toBe('done');
    expect(await keyOf(digest)).not.toBe(before);
    expect(await world.holdsBlob(digest)).toBe(true);
    expect(await doomed()).toEqual([before]);
  });

  it('an upload that is rolled back to: its own object is doomed, as ever', async () => {
    const digest = await world.pushBlob('at once');
    const before = await keyOf(digest);
    const first = await world.holdSql((client) =>
      client.query(`UPDATE blob SET fault = 'corrupt', fault_at = now() WHERE digest = $1`, [digestBytes(digest)]),
    );
    expect(await world.overtake(first, world.pushBlob('at once'), 'rollBack')).toBe('done');
    expect(await keyOf(digest)).toBe(before);
    expect(await doomed()).toHaveLength(1);
  });

  it('an upload that was first: the quarantine is of the object that it left', async () => {
    const digest = await world.pushBlob('at once');
    const key = await keyOf(digest);
    const first = await world.holdSql((client) =>
      client.query('UPDATE blob SET seen_at = now() WHERE digest = $1', [digestBytes(digest)]),
    );
    expect(await world.overtake(first, quarantine.quarantine(digest, key, 'missing'))).toBe('done');
    expect(await world.holdsBlob(digest)).toBe(false);
  });

  it('an upload of a sound blob: it waits for nobody who links the blob', async () => {
    const digest = await world.pushBlob('shared');
    const linking = await world.holdSql((client) =>
      client.query('SELECT FROM blob WHERE digest = $1 FOR KEY SHARE', [digestBytes(digest)]),
    );
    const other = await world.newRepository('other');
    expect(await outcomeOf(world.pushBlob('shared', other))).toBe('done');
    await linking.commit();
  });

  it('two uploads that heal at once: one object stays, the others are doomed', async () => {
    const digest = await world.pushBlob('at once');
    const before = await keyOf(digest);
    await quarantine.quarantine(digest, before, 'missing');
    await Promise.all([1, 2, 3].map(() => world.pushBlob('at once')));
    const left = await doomed();
    expect(left).toHaveLength(3);
    expect(left).toContain(before);
    expect(left).not.toContain(await keyOf(digest));
    expect(await audited('blob.healed')).toHaveLength(1);
  });
});

describe('a scrub', () => {
  const notes: ScrubState[] = [];
  const lines: string[] = [];

  beforeEach(() => {
    notes.length = 0;
    lines.length = 0;
  });

  function scrub(
    change: Partial<Parameters<typeof scrubBlobs>[0] & Parameters<typeof scrubBlobs>[1]> = {},
  ): Promise<ScrubTally> {
    const { repositoryId, isDry = false, from, ...room } = change;
    return scrubBlobs(
      {
        walk: new PostgresBlobWalk(world.jobs),
        quarantine: new PostgresQuarantine(world.jobs),
        store: world.store,
        signal: new AbortController().signal,
        pace: async () => undefined,
        log: (line) => lines.push(line),
        note: async (state) => void notes.push(state),
        ...room,
      },
      { isDry, ...(repositoryId !== undefined && { repositoryId }), ...(from && { from }) },
    );
  }

  it('puts what is missing, short or other bytes into quarantine, and nothing else', async () => {
    const [sound, missing, short, corrupt] = await Promise.all(
      ['sound', 'missing', 'short', 'corrupt'].map((content) => world.pushBlob(content)),
    );
    await world.store.remove(await keyOf(missing as Digest));
    await rot(short as Digest, Buffer.from('shor'));
    await rot(corrupt as Digest, Buffer.from('CORRUPT'));
    const dry = await scrub({ isDry: true });
    expect(dry).toMatchObject({ objects: 4, missing: 1, short: 1, corrupt: 1, quarantined: 0 });
    expect(await world.holdsBlob(corrupt as Digest)).toBe(true);
    expect(await scrub()).toMatchObject({ objects: 4, missing: 1, short: 1, corrupt: 1, quarantined: 3, healed: 0 });
    expect(
      await Promise.all([sound, missing, short, corrupt].map((digest) => world.holdsBlob(digest as Digest))),
    ).toEqual([true, false, false, false]);
    expect(lines.filter((line) => line.includes('quarantine'))).toHaveLength(3);
    expect(await scrub()).toMatchObject({ missing: 1, short: 1, corrupt: 1, quarantined: 0 });
  });

  it('takes out of quarantine what is right again', async () => {
    const digest = await world.pushBlob('restored');
    await quarantine.quarantine(digest, await keyOf(digest), 'missing');
    expect(await scrub({ isDry: true })).toMatchObject({ healed: 1 });
    expect(await world.holdsBlob(digest)).toBe(false);
    expect(await scrub()).toMatchObject({ healed: 1 });
    expect(await world.holdsBlob(digest)).toBe(true);
  });

  it('passes over a blob that was moved or removed while it was read', async () => {
    const digest = await world.pushBlob('moved');
    await world.store.remove(await keyOf(digest));
    const moving = async () =>
      void (await world.owner.query('UPDATE blob SET object_key = $1', [`moved-${randomUUID()}`]));
    const { size } = world.store;
    world.store.size = async (key) => {
      await moving();
      return size.call(world.store, key);
    };
    expect(await scrub()).toMatchObject({ missing: 0, overtaken: 1, quarantined: 0 });
    expect(await world.holdsBlob(digest)).toBe(true);
  });

  it('reads only what one repository holds', async () => {
    await world.pushBlob('here');
    const other = await world.newRepository('other');
    await world.pushBlob('there', other);
    expect(await scrub({ repositoryId: other })).toMatchObject({ objects: 1, bytes: 5 });
  });

  it('says how far it is while it reads one big object, and would begin that again', async () => {
    await world.pushBlob('first half, second half');
    const { read } = world.store;
    world.store.read = (key, range, sink) =>
      read.call(world.store, key, range, async (chunk) => {
        await sink(chunk.subarray(0, 10));
        await sink(chunk.subarray(10));
      });
    const noted: [number, number, number][] = [];
    await scrub({
      pace: async (sizeBytes) => void (sizeBytes === 10 && (await delay(1_100))),
      note: async ({ tally }, { bytes, totalBytes }) => void noted.push([tally.bytes, bytes, totalBytes]),
    });
    expect(noted[0]).toEqual([0, 10, 23]);
    expect(noted.at(-1)).toEqual([23, 23, 23]);
  });

  it('goes on from where it was stopped', async () => {
    await Promise.all(Array.from({ length: 10 }, (_, index) => world.pushBlob(`blob ${index}`)));
    const abort = new AbortController();
    const stopped = await scrub({
      signal: abort.signal,
      note: async (state) => {
        notes.push(state);
        abort.abort(new Error('stopped'));
      },
    });
    const from = notes.at(-1);
    expect([stopped.objects, from?.tally.objects]).toEqual([4, 4]);
    expect(await scrub({ ...(from && { from }) })).toMatchObject({ objects: 10, bytes: 60 });
  });
});
