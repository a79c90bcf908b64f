import { randomUUID } from 'node:crypto';
import { appendChunk, cancelUpload, finishUpload, type UploadRef } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresPurge, PostgresUploads, holdSignOfLife, migrate } from '../index.js';
import { ContentWorld, sha256 } from './content-world.suite.js';

/* Races of docs/races.md between uploads, mounts, purges and removals of repositories; see races.spec.ts. */

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
});
afterEach(() => world.close());

const insertBlob = (digest: Digest, objectKey: string) =>
  world.holdSql((client) =>
    client.query('INSERT INTO blob (digest, size_bytes, object_key) VALUES ($1, 5, $2)', [
      digestBytes(digest),
      objectKey,
    ]),
  );

const keyOf = async (digest: Digest) => (await world.reader.blob(world.repositoryId, digest))?.objectKey;

const mountOf = (digest: Digest, from: string) =>
  world.room.uploads.mount({
    repositoryId: world.repositoryId,
    digest,
    graceMs: 0,
    source: { repositoryId: from },
  });

const chunk = async function* () {
  yield Buffer.from('bytes');
};

const leaseOf = (uploads: PostgresUploads, ref: UploadRef) =>
  uploads.lease(ref, { uploadId: ref.uploadId, leaseId: randomUUID() }, { leaseMs: 60_000 });

const append = (ref: UploadRef) => appendChunk(world.room, ref, { stateOffset: 0 }, chunk());

const touchedLongAgo = (ref: UploadRef) =>
  world.owner.query(`UPDATE upload SET touched_at = now() - interval '30 days' WHERE id = $1`, [ref.uploadId]);

describe('uploads of one blob', () => {
  it('leave the object of the first, and doom that of the second', async () => {
    const content = randomUUID().slice(0, 5);
    const first = await insertBlob(sha256(content), `first-${content}`);
    expect(await world.overtake(first, world.pushBlob(content))).toBe('done');
    expect(await keyOf(sha256(content))).toBe(`first-${content}`);
    const { rows } = await world.owner.query('SELECT FROM doomed_object WHERE reason = $1', ['blob was there already']);
    expect(rows.length).toBeGreaterThan(0);
  });

  it('leave the object of the second where a review removed the blob meanwhile', async () => {
    const content = `reviewed ${randomUUID()}`;
    const digest = await world.pushBlob(content, await world.newRepository('other'));
    await world.owner.query('DELETE FROM repository_blob WHERE digest = $1', [digestBytes(digest)]);
    const review = await world.holdSql((client) =>
      client.query('DELETE FROM blob WHERE digest = $1', [digestBytes(digest)]),
    );
    expect(await world.overtake(review, world.pushBlob(content))).toBe('done');
    expect(await world.store.size((await keyOf(digest)) as never)).toBe(content.length);
  });
});

describe('a mount, and the end of its source', () => {
  it('is an upload where a review took the blob first', async () => {
    const other = await world.newRepository('source');
    const digest = await world.pushBlob(`mounted ${randomUUID()}`, other);
    const review = await world.holdSql(async (client) => {
      await client.query('DELETE FROM blob_review WHERE digest = $1', [digestBytes(digest)]);
      await client.query('DELETE FROM repository_blob WHERE digest = $1', [digestBytes(digest)]);
      await client.query('DELETE FROM blob WHERE digest = $1', [digestBytes(digest)]);
    });
    const mounted = mountOf(digest, other);
    await world.untilWaiting();
    await review.commit();
    expect(await mounted).toBe(false);
  });

  it('holds where only the source let go of it', async () => {
    const other = await world.newRepository('source');
    const digest = await world.pushBlob(`mounted ${randomUUID()}`, other);
    const unlink = await world.hold((tx) => tx.unlinkBlob(other, digest));
    expect(await mountOf(digest, other)).toBe(true);
    await unlink.commit();
    expect(await world.holdsBlob(digest)).toBe(true);
  });
});

describe('an upload that is resumed', () => {
  it('is unknown where a purge was first', async () => {
    const ref = await world.begin();
    const purge = await world.holdSql((client) => client.query('DELETE FROM upload WHERE id = $1', [ref.uploadId]));
    expect(await world.overtake(purge, append(ref))).toBe('BLOB_UPLOAD_UNKNOWN');
  });

  it('is passed over by a purge where it was first', async () => {
    const ref = await world.begin();
    await touchedLongAgo(ref);
    const resumed = await world.holdSql((client) =>
      client.query(`UPDATE upload SET touched_at = now(), lease_until = now() + interval '1 minute' WHERE id = $1`, [
        ref.uploadId,
      ]),
    );
    expect(await new PostgresPurge(world.owner).doomAbandonedUploads(60_000, 100)).toEqual([]);
    await resumed.commit();
    expect(await new PostgresPurge(world.owner).doomAbandonedUploads(60_000, 100)).toEqual([]);
    expect(await world.room.uploads.find(ref)).toBeDefined();
  });

  it('has one writer where two requests take it at once', async () => {
    const ref = await world.begin();
    const other = await world.holdSql((client) =>
      client.query(`UPDATE upload SET lease_id = $2, lease_until = now() + interval '1 minute' WHERE id = $1`, [
        ref.uploadId,
        randomUUID(),
      ]),
    );
    expect(await world.overtake(other, append(ref))).toBe('BLOB_UPLOAD_INVALID');
  });

  it('makes no blob where it was cancelled before its end', async () => {
    const ref = await world.begin();
    const cancelled = `cancelled ${randomUUID()}`;
    const body = (async function* () {
      yield Buffer.from(cancelled);
      await cancelUpload(world.room, ref);
    })();
    const last = { position: { stateOffset: 0 }, body };
    await expect(finishUpload(world.room, { ref, digest: sha256(cancelled), last })).rejects.toMatchObject({
      status: 409,
    });
    expect(await world.holdsBlob(sha256(cancelled))).toBe(false);
  });
});

describe('repositories', () => {
  it('that two pushes create at once are one', async () => {
    const ids = await Promise.all(Array.from({ length: 6 }, () => world.newRepository('together')));
    expect(new Set(ids).size).toBe(1);
  });

  it('that are removed while an upload ends take it with them, though both wait for each other', async () => {
    const ref = await world.begin();
    const content = `last ${randomUUID()}`;
    const body = (async function* () {
      yield Buffer.from(content);
    })();
    const removal = await world.owner.connect();
    await removal.query('BEGIN');
    await removal.query('SELECT FROM repository WHERE id = $1 FOR UPDATE', [world.repositoryId]);
    const last = { position: { stateOffset: 0 }, body };
    const finished = finishUpload(world.room, { ref, digest: sha256(content), last }).catch((error: unknown) => error);
    await world.untilWaiting();
    await removal.query('DELETE FROM upload WHERE repository_id = $1', [world.repositoryId]);
    await removal.query('DELETE FROM repository WHERE id = $1', [world.repositoryId]);
    await removal.query('COMMIT');
    removal.release();
    expect(await finished).toMatchObject({ status: 409 });
  });

  it('that are removed while a push begins are gone for it', async () => {
    const repositoryId = await world.newRepository('going');
    const removal = await world.holdSql((client) =>
      client.query('DELETE FROM repository WHERE id = $1', [repositoryId]),
    );
    const begun = world.begin(repositoryId).catch((error: Error) => error.name);
    await world.untilWaiting();
    await removal.commit();
    expect(await begun).toBe('RepositoryGone');
  });
});

describe('the lease of a process that is gone', () => {
  it('ends with the process, not with its time', async () => {
    const signOfLife = holdSignOfLife({
      url: database.url,
      role: 'registry',
      statementTimeoutMs: 10_000,
      lockTimeoutMs: 5_000,
    });
    await vi.waitUntil(() => signOfLife.lockKey);
    const ref = await world.begin();
    expect(await leaseOf(new PostgresUploads(world.pool, signOfLife), ref)).toMatchObject({ wasAbandoned: false });
    const other = new PostgresUploads(world.pool);
    expect(await leaseOf(other, ref)).toBeUndefined();
    await signOfLife.close();
    const taken = await vi.waitUntil(() => leaseOf(other, ref));
    expect(taken).toMatchObject({ wasAbandoned: true });
    // The successor has no sign of life: its lease is for its time.
    expect(await leaseOf(other, ref)).toBeUndefined();
  });
});
