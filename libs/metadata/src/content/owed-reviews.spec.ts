import { randomUUID } from 'node:crypto';
import { deleteBlob, deleteManifest, deleteTag, type ReviewTerms } from '@entrepot/content';
import { parseTag, type Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresReviews, migrate } from '../index.js';
import { collectAll } from './collect-all.suite.js';
import { ContentWorld, imageOf, indexOf, outcomeOf, type Document } from './content-world.suite.js';
import { decideLinks, takeLinks } from './review-links.js';

/*
 * Every change that can make something unused owes a review, in its own transaction; and who was told that a blob is there may
 * rely on it.
 */

const database = withTestDatabase({ prepare: (url) => migrate(url) });
/** The grace time of the world's pushes. */
const GRACE_MS = 60_000;

let world: ContentWorld;
beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE manifest_review, link_review, blob_review');
});
afterEach(() => world.close());

const content = () => `blob ${randomUUID()}`;
const SIZE_BYTES = content().length;
const newImage = async () => imageOf([[await world.pushBlob(content()), SIZE_BYTES]]);
const mount = (digest: Digest, into: string) =>
  world.room.uploads.mount({
    repositoryId: into,
    digest,
    graceMs: GRACE_MS,
    source: { repositoryId: world.repositoryId },
  });

/** Some seconds may pass until it is asked. */
const inSteps = (seconds: number) => Math.ceil(seconds / 6) * 6;

/** Reason and seconds until the review is due; undefined where none is owed. */
async function linkReview(digest: Digest, repositoryId = world.repositoryId): Promise<[string, number] | undefined> {
  const { rows } = await world.owner.query<{ reason: string; seconds: number }>(
    `SELECT reason, extract(epoch FROM due_at - now())::float8 AS seconds FROM link_review
     WHERE repository_id = $1 AND digest = $2`,
    [repositoryId, digestBytes(digest)],
  );
  return rows[0] && [rows[0].reason, inSteps(rows[0].seconds)];
}
async function manifestReview({ digest }: Document): Promise<[string, number] | undefined> {
  const { rows } = await world.owner.query<{ reason: string; seconds: number }>(
    `SELECT t.reason, extract(epoch FROM t.due_at - now())::float8 AS seconds
     FROM manifest_review t JOIN manifest m ON m.id = t.manifest_id WHERE m.digest = $1`,
    [digestBytes(digest)],
  );
  return rows[0] && [rows[0].reason, inSteps(rows[0].seconds)];
}
const dueIn = (digest: Digest, seconds: number) =>
  world.owner.query(`UPDATE link_review SET due_at = now() + $2 * interval '1 second' WHERE digest = $1`, [
    digestBytes(digest),
    seconds,
  ]);
const collect = (terms: Partial<ReviewTerms> = {}) => collectAll(new PostgresReviews(world.jobs), terms);

const ask = (digest: Digest, graceMs = GRACE_MS) => world.reader.promisedBlob(world.repositoryId, digest, graceMs);
const versionOf = async (digest: Digest) =>
  (await world.owner.query('SELECT xmin FROM link_review WHERE digest = $1', [digestBytes(digest)])).rows;

describe('a review is owed', () => {
  it('by an upload and by a mount: of the link that they made', async () => {
    const digest = await world.pushBlob(content());
    const target = await world.newRepository('target');
    expect(await mount(digest, target)).toBe(true);
    expect(await linkReview(digest)).toEqual(['uploaded', 66]);
    expect(await linkReview(digest, target)).toEqual(['mounted', 66]);
  });

  it('by a push without a tag, and by none with one', async () => {
    const [tagged, untagged] = [await newImage(), await newImage()];
    await world.put(tagged, ['v1']);
    expect(await manifestReview(tagged)).toBeUndefined();
    await world.put(indexOf(tagged));
    await world.put(untagged);
    expect(await manifestReview(untagged)).toEqual(['pushed', 60]);
  });

  it('by a tag that moves, and by one that is deleted', async () => {
    const [first, second] = [await newImage(), await newImage()];
    await world.put(first, ['v1']);
    await world.put(second, ['v1']);
    expect(await manifestReview(first)).toEqual(['tag moved', 60]);
    await deleteTag(world.work, world.removal, parseTag('v1'));
    expect(await manifestReview(second)).toEqual(['tag deleted', 60]);
  });

  it('by the deletion of a blob that no manifest names: of the blob, at once', async () => {
    const digest = await world.pushBlob(content());
    await deleteBlob(world.work, world.removal, digest);
    expect(await linkReview(digest)).toBeUndefined();
    expect(await collect()).toMatchObject({ blobsRemoved: 1 });
  });

  it('by the removal of a manifest, of a blob that was deleted before it', async () => {
    const digest = await world.pushBlob(content());
    const image = imageOf([[digest, SIZE_BYTES]]);
    await world.put(image, ['v1']);
    await deleteBlob(world.work, world.removal, digest);
    expect(await world.holdsBlob(digest)).toBe(true);
    expect(await linkReview(digest)).toBeUndefined();
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await world.holdsBlob(digest)).toBe(false);
    expect(await linkReview(digest)).toEqual(['manifest deleted', 66]);
    await dueIn(digest, 0);
    expect(await collect()).toMatchObject({ manifestsRemoved: 1, linksRemoved: 1, blobsRemoved: 1 });
  });

  it('by a manifest that a sparse index awaited: of a blob of its digest', async () => {
    const image = await newImage();
    const restored = await newImage();
    await world.put(restored);
    await deleteManifest(world.work, world.removal, restored.digest);
    await world.put(indexOf(image, restored), ['v1'], 'indexes');
    for (const { digest, payload } of [image, restored]) {
      expect(await world.pushBlob(payload.toString())).toBe(digest);
      await dueIn(digest, 0);
    }
    expect(await collect({ undoMs: GRACE_MS })).toMatchObject({ linksRemoved: 0 });
    await world.put(image);
    await world.put(restored);
    for (const { digest } of [image, restored]) {
      expect((await linkReview(digest))?.[0]).toBe('came as a manifest');
      await dueIn(digest, 0);
    }
    expect(await collect({ undoMs: GRACE_MS })).toMatchObject({ linksRemoved: 2 });
  });

  it('by the removal of an index: of its entries, and of theirs', async () => {
    const digest = await world.pushBlob(content());
    const image = imageOf([[digest, SIZE_BYTES]]);
    await world.put(image);
    const index = indexOf(image);
    await world.put(index, ['v1']);
    await deleteManifest(world.work, world.removal, index.digest);
    await dueIn(digest, 0);
    expect(await collect()).toMatchObject({ manifestsRemoved: 2, linksRemoved: 1, blobsRemoved: 1 });
  });
});

describe('a blob that was asked for with HEAD', () => {
  it('is promised for the whole grace time and somewhat more, so that the next answer writes nothing', async () => {
    const digest = await world.pushBlob(content());
    await dueIn(digest, 5);
    expect(await ask(digest)).toMatchObject({ sizeBytes: SIZE_BYTES });
    expect(await linkReview(digest)).toEqual(['asked for', 66]);
    const version = await versionOf(digest);
    expect(await ask(digest)).toBeDefined();
    expect(await versionOf(digest)).toEqual(version);
  });

  it('costs no write a moment after its upload', async () => {
    const digest = await world.pushBlob(content());
    const version = await versionOf(digest);
    expect(await ask(digest)).toBeDefined();
    expect(await versionOf(digest)).toEqual(version);
  });

  it('is there for the manifest that names it, however due its review was', async () => {
    const digest = await world.pushBlob(content());
    await dueIn(digest, -60);
    expect(await ask(digest)).toBeDefined();
    expect(await collect()).toMatchObject({ linksReviewed: 0 });
    await world.put(imageOf([[digest, SIZE_BYTES]]), ['v1']);
    await dueIn(digest, -60);
    expect(await collect()).toMatchObject({ linksReviewed: 1, linksRemoved: 0 });
  });

  it('costs no write where a manifest refers to it, deleted or not, or where no review is owed', async () => {
    const digest = await world.pushBlob(content());
    const image = imageOf([[digest, SIZE_BYTES]]);
    await world.put(image, ['v1']);
    await dueIn(digest, 5);
    const version = await versionOf(digest);
    expect(await ask(digest)).toBeDefined();
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await ask(digest)).toBeDefined();
    expect(await versionOf(digest)).toEqual(version);
    await world.owner.query('DELETE FROM link_review');
    expect(await ask(digest)).toBeDefined();
    expect(await versionOf(digest)).toEqual([]);
  });

  it('is held by what removed its last reference, too', async () => {
    const digest = await world.pushBlob(content());
    const image = imageOf([[digest, SIZE_BYTES]]);
    await world.put(image, ['v1']);
    await world.owner.query('DELETE FROM link_review');
    expect(await ask(digest)).toBeDefined();
    await deleteManifest(world.work, world.removal, image.digest);
    await world.owner.query(
      `UPDATE manifest SET deleted_at = now() - interval '1 hour', pushed_at = now() - interval '1 hour' WHERE digest = $1`,
      [digestBytes(image.digest)],
    );
    expect(await collect({ graceMs: GRACE_MS })).toMatchObject({ linksRemoved: 0 });
    expect(await linkReview(digest)).toEqual(['manifest removed', 60]);
  });

  it('is there for a manifest where it was deleted before, and a collector took the manifest that kept it', async () => {
    const digest = await world.pushBlob(content());
    const image = imageOf([[digest, SIZE_BYTES]]);
    await world.put(image);
    await deleteBlob(world.work, world.removal, digest);
    expect(await ask(digest)).toBeDefined();
    await world.owner.query(`UPDATE manifest SET pushed_at = now() - interval '1 hour'`);
    await world.owner.query('UPDATE manifest_review SET due_at = now()');
    expect(await collect({ graceMs: GRACE_MS })).toMatchObject({ manifestsRemoved: 1, linksRemoved: 0 });
    expect(await ask(digest)).toBeUndefined();
    await world.put(imageOf([[digest, SIZE_BYTES]]), ['v1']);
    await dueIn(digest, 0);
    expect(await collect({ graceMs: GRACE_MS })).toMatchObject({ linksReviewed: 1, linksRemoved: 0 });
    expect(await ask(digest)).toBeDefined();
  });

  it('is not there where a review was first, which the question waits for', async () => {
    const digest = await world.pushBlob(content());
    await dueIn(digest, -1);
    const review = await world.holdSql(async (client) => decideLinks(client, await takeLinks(client, 10)));
    const asked = ask(digest);
    await world.untilWaiting();
    await review.commit();
    expect(await asked).toBeUndefined();
  });

  it('is there where the review was given up', async () => {
    const digest = await world.pushBlob(content());
    await dueIn(digest, -1);
    const review = await world.holdSql(async (client) => decideLinks(client, await takeLinks(client, 10)));
    const asked = ask(digest);
    await world.untilWaiting();
    await review.rollBack();
    expect(await asked).toBeDefined();
    expect(await linkReview(digest)).toEqual(['asked for', 66]);
  });

  it('is promised nothing at grace 0, and is unknown where it is not linked', async () => {
    const digest = await world.pushBlob(content());
    await dueIn(digest, -60);
    const version = await versionOf(digest);
    expect(await ask(digest, 0)).toBeDefined();
    expect(await versionOf(digest)).toEqual(version);
    expect(await world.reader.promisedBlob(await world.newRepository('other'), digest, GRACE_MS)).toBeUndefined();
  });

  it('and then deleted is gone, promised or not', async () => {
    const digest = await world.pushBlob(content());
    expect(await ask(digest)).toBeDefined();
    await deleteBlob(world.work, world.removal, digest);
    expect(await ask(digest)).toBeUndefined();
    expect(await outcomeOf(world.put(imageOf([[digest, SIZE_BYTES]])))).toBe('MANIFEST_BLOB_UNKNOWN');
  });
});
