import { randomUUID } from 'node:crypto';
import { deleteBlob, type ObjectKey } from '@entrepot/content';
import type { Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { PostgresQuarantine } from '../index.js';
import { CollectorWorld, migrateWithBrakes } from './collector-world.suite.js';
import { imageOf, outcomeOf } from './content-world.suite.js';

/*
 * Races of docs/gc.md around blobs and links, each in both orders. The first of the two is stopped at its commit, with all
 * its locks, until the second one waits for it, or has passed it by.
 */

const database = withTestDatabase({ prepare: migrateWithBrakes });
let world: CollectorWorld;
let blob: Digest;
const content = () => `blob ${randomUUID()}`;

beforeEach(async () => {
  world = new CollectorWorld(database.url);
  await world.open();
  blob = await world.pushBlob(content());
});
afterEach(() => world.close());

const SIZE_BYTES = content().length;
const image = () => imageOf([[blob, SIZE_BYTES]]);
const keyOf = async (digest: Digest) => (await world.reader.blob(world.repositoryId, digest))?.objectKey;
const mount = (from: string, into = world.repositoryId) =>
  world.room.uploads.mount({ repositoryId: into, digest: blob, graceMs: 60_000, source: { repositoryId: from } });
const head = () => world.reader.promisedBlob(world.repositoryId, blob, 60_000);
const blobExists = async () =>
  (await world.owner.query('SELECT FROM blob WHERE digest = $1', [digestBytes(blob)])).rows.length > 0;
const doomedKeys = async () =>
  (await world.owner.query<{ object_key: string }>('SELECT object_key FROM doomed_object')).rows.map(
    ({ object_key: key }) => key,
  );

/** What is left of the blob once all that is due was reviewed. */
const isKept = async () => {
  await world.collect();
  return world.holdsBlob(blob);
};

describe('a push that names the blob, and the review of its link', () => {
  it('keeps the blob where the push was first', async () => {
    const pushed = image();
    const push = await world.holdCommit('registry', 'manifest', () => world.put(pushed, ['v1']));
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ linksRemoved: 0 });
    await push.commit();
    await world.makeDue();
    expect(await isKept()).toBe(true);
    expect(await world.holdsManifest(pushed)).toBe(true);
  });

  it('refuses the push where the review was first', async () => {
    const pushed = image();
    const review = await world.holdCollector('repository_blob');
    expect(await world.overtake(review, world.put(pushed, ['v1']))).toBe('MANIFEST_BLOB_UNKNOWN');
    expect(await world.holdsManifest(pushed)).toBe(false);
    expect(await blobExists()).toBe(false);
  });

  it('goes on where the collector died before its commit', async () => {
    const review = await world.holdCollector('repository_blob');
    expect(await world.overtake(review, world.put(image(), ['v1']), 'rollBack')).toBe('done');
    await world.makeDue();
    expect(await isKept()).toBe(true);
  });
});

describe('a mount, and the review of its link', () => {
  let source: string;
  beforeEach(async () => {
    source = await world.newRepository('source');
    await mount(world.repositoryId, source);
  });

  it('links the blob anew where the review was first', async () => {
    await world.owner.query(`DELETE FROM link_review WHERE repository_id = $1`, [source]);
    const review = await world.holdCollector('repository_blob');
    const mounted = mount(source);
    await world.untilWaiting();
    await review.commit();
    expect(await mounted).toBe(true);
    expect(await isKept()).toBe(true);
  });

  it('keeps its promise where it was first', async () => {
    await world.makeDue();
    const mounted = await world.holdCommit('registry', 'repository_blob', () => mount(source));
    await world.collect();
    await mounted.commit();
    expect(await isKept()).toBe(true);
  });
});

describe('a mount, and the review of the blob', () => {
  it('keeps the blob that its source lets go of', async () => {
    const target = await world.newRepository('target');
    const review = await world.holdCollector('repository_blob');
    expect(await mount(world.repositoryId, target)).toBe(true);
    await review.commit();
    await world.collect();
    expect((await world.reader.blob(target, blob))?.sizeBytes).toBe(SIZE_BYTES);
  });

  it('is passed by where it was first', async () => {
    const target = await world.newRepository('target');
    const mounted = await world.holdCommit('registry', 'repository_blob', () => mount(world.repositoryId, target));
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ linksRemoved: 1, blobsRemoved: 0 });
    await mounted.commit();
    await world.makeDue();
    await world.owner.query(`UPDATE link_review SET due_at = 'infinity'`);
    expect(await world.collect()).toMatchObject({ blobsRemoved: 0 });
    expect((await world.reader.blob(target, blob))?.sizeBytes).toBe(SIZE_BYTES);
  });

  it('is an upload where the review was first', async () => {
    const review = await world.holdCollector('blob');
    expect(await mount(world.repositoryId, await world.newRepository('target'))).toBe(false);
    await review.commit();
    expect(await blobExists()).toBe(false);
  });
});

describe('a re-push, and the review of the blob', () => {
  it('makes its object the blob where the review was first, and dooms the old one', async () => {
    const text = content();
    blob = await world.pushBlob(text);
    const old = await keyOf(blob);
    const review = await world.holdCollector('blob');
    expect(await world.overtake(review, world.pushBlob(text))).toBe('done');
    expect(await isKept()).toBe(true);
    const now = await keyOf(blob);
    expect(now).not.toBe(old);
    expect(await doomedKeys()).toContain(old);
    expect(await doomedKeys()).not.toContain(now);
    expect(await world.store.size(now as never)).toBe(text.length);
  });

  it('keeps the old object where it was first, and dooms its own', async () => {
    const text = content();
    blob = await world.pushBlob(text);
    const old = await keyOf(blob);
    await world.makeDue();
    const pushed = await world.holdCommit('registry', 'blob', () => world.pushBlob(text));
    expect(await world.collect()).toMatchObject({ blobsRemoved: 1 });
    await pushed.commit();
    expect(await isKept()).toBe(true);
    expect(await keyOf(blob)).toBe(old);
    expect(await doomedKeys()).not.toContain(old);
  });
});

describe('the deletion of a link, and its review', () => {
  it('leaves nothing where the deletion was first', async () => {
    const deletion = await world.holdCommit('registry', 'repository_blob', () =>
      deleteBlob(world.work, world.removal, blob),
    );
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ linksRemoved: 0 });
    await deletion.commit();
    await world.makeDue();
    await world.collect();
    expect(await blobExists()).toBe(false);
  });

  it('finds none where the review was first', async () => {
    const review = await world.holdCollector('repository_blob');
    const deletion = outcomeOf(deleteBlob(world.work, world.removal, blob));
    expect(await world.overtake(review, deletion)).toBe('done');
    expect(await deletion).toBe('BLOB_UNKNOWN');
  });
});

describe('an upload, and the review of its link', () => {
  it('is promised anew where the review was first', async () => {
    const text = content();
    blob = await world.pushBlob(text);
    const review = await world.holdCollector('repository_blob');
    expect(await world.overtake(review, world.pushBlob(text))).toBe('done');
    expect(await isKept()).toBe(true);
    expect(await world.store.size((await keyOf(blob)) as never)).toBe(text.length);
  });
});

describe('a HEAD, and the review of the link', () => {
  it('does not find it where the review was first', async () => {
    const review = await world.holdCollector('repository_blob');
    const asked = head();
    await world.untilWaiting();
    await review.commit();
    expect(await asked).toBeUndefined();
  });

  it('keeps its promise where it was first', async () => {
    await world.makeDue();
    const asked = await world.holdCommit('registry', 'link_review', head);
    await world.collect();
    await asked.commit();
    expect(await isKept()).toBe(true);
  });

  it('writes once in a tenth of the grace time', async () => {
    await world.makeDue();
    await head();
    const due = async () => (await world.owner.query('SELECT due_at FROM link_review')).rows;
    const promised = await due();
    await head();
    expect(await due()).toEqual(promised);
  });
});

describe('a healing upload, and the review of the blob', () => {
  let text: string;
  let bad: string | undefined;
  beforeEach(async () => {
    text = content();
    blob = await world.pushBlob(text);
    bad = await keyOf(blob);
    await new PostgresQuarantine(world.pool).quarantine(blob, bad as ObjectKey, 'corrupt');
  });

  it('is a blob of its own where the review was first', async () => {
    const review = await world.holdCollector('blob');
    expect(await world.overtake(review, world.pushBlob(text))).toBe('done');
    expect(await isKept()).toBe(true);
    expect(await keyOf(blob)).not.toBe(bad);
    expect(await doomedKeys()).toContain(bad);
  });

  it('is kept where it was first, and the bad object goes', async () => {
    await world.makeDue();
    const healed = await world.holdCommit('registry', 'blob', () => world.pushBlob(text));
    await world.collect();
    await healed.commit();
    expect(await isKept()).toBe(true);
    expect(await keyOf(blob)).not.toBe(bad);
    expect((await doomedKeys()).filter((key) => key === bad)).toHaveLength(1);
  });
});

it('a blob of nobody goes with its bytes doomed once', async () => {
  const key = await keyOf(blob);
  await world.makeDue();
  expect(await world.collect()).toMatchObject({ linksRemoved: 1, blobsRemoved: 1 });
  expect((await doomedKeys()).filter((doomed) => doomed === key)).toHaveLength(1);
});
