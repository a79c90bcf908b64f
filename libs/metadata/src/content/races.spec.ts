import { randomUUID } from 'node:crypto';
import { deleteBlob, deleteManifest } from '@entrepot/content';
import { parseTag, type Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { migrate } from '../index.js';
import { ContentWorld, imageOf, indexOf, outcomeOf, sha256 } from './content-world.suite.js';

/*
 * Races of docs/races.md, each in both orders. The first of two transactions is held open, with all its locks, until the
 * second one waits for it; nothing here depends on time.
 */

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
});
afterEach(() => world.close());

const holdRemoval = (digest: Digest) =>
  world.hold(async (tx) => {
    const manifest = await tx.lockManifest(world.repositoryId, digest);
    if (!manifest) throw new Error('no manifest');
    await tx.removeTagsOf(world.repositoryId, manifest.id, world.actor);
    await tx.deleteManifest(manifest.id, world.actor, world.removal.graceMs);
  });
const holdUnlink = (digest: Digest) => world.hold((tx) => tx.unlinkBlob(world.repositoryId, digest));

/** A push up to the moment before its commit. */
const holdPush = (image: ReturnType<typeof imageOf>, blob: [Digest, number]) =>
  world.hold(async (tx) => {
    const { repositoryId, actor } = world;
    const { digest, payload, manifest } = image;
    const { mediaType } = manifest;
    const inserted = await tx.insertManifest({ repositoryId, digest, payload, mediaType, pushedBy: actor.id });
    const blobs = [{ digest: blob[0], sizeBytes: blob[1], mediaType: 'application/x-test' }];
    await tx.insertReferences({ manifestId: inserted.id, repositoryId, blobs, childIds: [], missing: [], graceMs: 0 });
  });

const historyOf = async () => {
  const { rows } = await world.owner.query<{ digest: Buffer | null; previous_digest: Buffer | null }>(
    'SELECT digest, previous_digest FROM tag_history WHERE repository_id = $1 ORDER BY id',
    [world.repositoryId],
  );
  return rows;
};

const expectChained = async () => {
  const rows = await historyOf();
  for (const [index, row] of rows.entries()) expect(row.previous_digest).toEqual(rows[index - 1]?.digest ?? null);
};

const blobRows = async (digest: Digest, table: string): Promise<number> =>
  (
    await world.owner.query(`SELECT FROM ${table} WHERE digest = $1 AND repository_id = $2`, [
      digestBytes(digest),
      world.repositoryId,
    ])
  ).rowCount ?? 0;

describe('a push and the deletion of a blob that it names', () => {
  it('keeps the blob where the push was first', async () => {
    const blob = await world.pushBlob('blob');
    const image = imageOf([[blob, 4]]);
    const push = await holdPush(image, [blob, 4]);
    expect(await world.overtake(push, deleteBlob(world.work, world.removal, blob))).toBe('done');
    expect(await world.holdsBlob(blob)).toBe(true);
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await world.holdsBlob(blob)).toBe(false);
  });

  it('refuses the push where the deletion was first', async () => {
    const blob = await world.pushBlob('blob');
    const image = imageOf([[blob, 4]]);
    expect(await world.overtake(await holdUnlink(blob), world.put(image, ['v1']))).toBe('MANIFEST_BLOB_UNKNOWN');
    expect(await world.holdsManifest(image)).toBe(false);
  });
});

describe('a push that names a deleted blob, and the deletion of the last manifest that kept it', () => {
  let blob: Digest;
  let keeper: ReturnType<typeof imageOf>;
  beforeEach(async () => {
    blob = await world.pushBlob('kept');
    keeper = imageOf([[blob, 4]]);
    await world.put(keeper);
    await deleteBlob(world.work, world.removal, blob);
  });

  it('keeps the blob where the push was first', async () => {
    const push = await holdPush(imageOf([[blob, 4]]), [blob, 4]);
    await deleteManifest(world.work, world.removal, keeper.digest);
    await push.commit();
    expect(await world.holdsBlob(blob)).toBe(true);
  });

  it('keeps the blob where the deletion was not committed yet', async () => {
    const removal = await holdRemoval(keeper.digest);
    await world.put(imageOf([[blob, 4]]));
    await removal.commit();
    expect(await world.holdsBlob(blob)).toBe(true);
  });

  it('keeps the blob where the deletion was committed within the grace time', async () => {
    await deleteManifest(world.work, world.removal, keeper.digest);
    expect(await world.holdsBlob(blob)).toBe(false);
    await world.put(imageOf([[blob, 4]]));
    expect(await world.holdsBlob(blob)).toBe(true);
  });

  it('refuses the push where nothing is promised any more, though the manifest can be restored', async () => {
    await deleteManifest(world.work, { ...world.removal, graceMs: 0 }, keeper.digest);
    expect(await outcomeOf(world.put(imageOf([[blob, 4]])))).toBe('MANIFEST_BLOB_UNKNOWN');
  });

  it('refuses the push where the blob was deleted last', async () => {
    await deleteManifest(world.work, world.removal, keeper.digest);
    await deleteBlob(world.work, world.removal, blob);
    expect(await outcomeOf(world.put(imageOf([[blob, 4]])))).toBe('MANIFEST_BLOB_UNKNOWN');
  });
});

describe('deletions that share a blob', () => {
  it('of both manifests that kept it end its link', async () => {
    const blob = await world.pushBlob('shared');
    const [one, two] = [imageOf([[blob, 6]]), imageOf([[blob, 6]])];
    await world.put(one);
    await world.put(two);
    await deleteBlob(world.work, world.removal, blob);
    const removal = await holdRemoval(one.digest);
    expect(await world.overtake(removal, deleteManifest(world.work, world.removal, two.digest))).toBe('done');
    expect(await world.holdsBlob(blob)).toBe(false);
  });

  it('of the blob after its manifest end its link', async () => {
    const blob = await world.pushBlob('after');
    const image = imageOf([[blob, 5]]);
    await world.put(image);
    const removal = await holdRemoval(image.digest);
    expect(await world.overtake(removal, deleteBlob(world.work, world.removal, blob))).toBe('done');
    expect(await world.holdsBlob(blob)).toBe(false);
  });

  it('of the blob before its manifest end its link', async () => {
    const blob = await world.pushBlob('before');
    const image = imageOf([[blob, 6]]);
    await world.put(image);
    const unlink = await holdUnlink(blob);
    expect(await world.overtake(unlink, deleteManifest(world.work, world.removal, image.digest))).toBe('done');
    expect(await world.holdsBlob(blob)).toBe(false);
    expect(await outcomeOf(world.put(imageOf([[blob, 6]])))).toBe('done');
  });
});

describe('a tag that moves, and the deletion of the manifest that it leaves', () => {
  it('moves where the deletion was first', async () => {
    const config = await world.pushBlob('{}');
    const [old, young] = [imageOf([[config, 2]]), imageOf([[config, 2]])];
    await world.put(old, ['v1']);
    expect(await world.overtake(await holdRemoval(old.digest), world.put(young, ['v1']))).toBe('done');
    expect((await world.reader.manifestByTag(world.repositoryId, parseTag('v1')))?.digest).toBe(young.digest);
    await expectChained();
  });

  it('stays moved where the move was first', async () => {
    const config = await world.pushBlob('{}');
    const [old, young] = [imageOf([[config, 2]]), imageOf([[config, 2]])];
    await world.put(old, ['v1']);
    await world.put(young);
    const { repositoryId, actor } = world;
    const move = await world.hold(async (tx) => {
      await tx.lockTags(repositoryId, [parseTag('v1')]);
      const { id: manifestId } = (await tx.lockManifest(repositoryId, young.digest)) ?? { id: '' };
      const { digest } = young;
      await tx.moveTags({ repositoryId, tags: [parseTag('v1')], manifestId, digest, actor, graceMs: 0 });
    });
    expect(await world.overtake(move, deleteManifest(world.work, world.removal, old.digest))).toBe('done');
    expect((await world.reader.manifestByTag(repositoryId, parseTag('v1')))?.digest).toBe(young.digest);
    expect(await world.holdsManifest(old)).toBe(false);
    await expectChained();
  });

  it('is pushed anew where its own manifest was deleted first', async () => {
    const config = await world.pushBlob('{}');
    const image = imageOf([[config, 2]]);
    await world.put(image, ['v1']);
    expect(await world.overtake(await holdRemoval(image.digest), world.put(image, ['v1']))).toBe('done');
    expect((await world.reader.manifestByTag(world.repositoryId, parseTag('v1')))?.digest).toBe(image.digest);
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await world.holdsManifest(image)).toBe(false);
  });
});

describe('one manifest pushed twice', () => {
  it.each(['commit', 'rollBack'] as const)(
    'is there once with its references, whether the first (%s) ends well',
    async (end) => {
      const blob = await world.pushBlob('twice');
      const image = imageOf([[blob, 5]]);
      const first = await holdPush(image, [blob, 5]);
      expect(await world.overtake(first, world.put(image, ['v1']), end)).toBe('done');
      expect(await blobRows(blob, 'manifest_blob')).toBe(1);
      expect((await world.reader.manifestByTag(world.repositoryId, parseTag('v1')))?.digest).toBe(image.digest);
    },
  );
});

describe('a push of an index, and the deletion of an entry', () => {
  it('refuses the deletion where the push was first', async () => {
    const image = imageOf([[await world.pushBlob('{}'), 2]]);
    await world.put(image);
    const index = indexOf(image);
    const { repositoryId, actor } = world;
    const push = await world.hold(async (tx) => {
      const { digest, payload, manifest } = index;
      const { id } = (await tx.heldManifests(repositoryId, [image.digest])).get(image.digest) ?? { id: '' };
      const { mediaType } = manifest;
      const inserted = await tx.insertManifest({ repositoryId, digest, payload, mediaType, pushedBy: actor.id });
      await tx.insertReferences({
        manifestId: inserted.id,
        repositoryId,
        blobs: [],
        childIds: [id],
        missing: [],
        graceMs: 0,
      });
    });
    expect(await world.overtake(push, deleteManifest(world.work, world.removal, image.digest))).toBe('UNSUPPORTED');
    expect(await world.holdsManifest(image)).toBe(true);
  });

  it('refuses the push where the deletion was first', async () => {
    const image = imageOf([[await world.pushBlob('{}'), 2]]);
    await world.put(image);
    const removal = await holdRemoval(image.digest);
    expect(await world.overtake(removal, world.put(indexOf(image)))).toBe('MANIFEST_BLOB_UNKNOWN');
  });
});

describe('the deletion of a subject and of its referrer', () => {
  let subject: ReturnType<typeof imageOf>;
  let referrer: ReturnType<typeof imageOf>;
  beforeEach(async () => {
    const config = await world.pushBlob('{}');
    subject = imageOf([[config, 2]]);
    referrer = imageOf([[config, 2]], subject);
    await world.put(subject);
    await world.put(referrer, ['signature']);
  });

  it.each(['subject', 'referrer'])('removes both where the %s was first', async (first) => {
    const [one, two] = first === 'subject' ? [subject, referrer] : [referrer, subject];
    const removal = await holdRemoval(one.digest);
    expect(await world.overtake(removal, deleteManifest(world.work, world.removal, two.digest))).toBe('done');
    expect(await world.holdsManifest(subject)).toBe(false);
    expect(await world.holdsManifest(referrer)).toBe(false);
  });
});

describe('a sparse push, and the upload of what it names', () => {
  it('protects a blob that came while the push had not committed', async () => {
    const content = `late ${randomUUID()}`;
    const blob = sha256(content);
    const image = imageOf([[blob, content.length]]);
    const { repositoryId, actor } = world;
    const push = await world.hold(async (tx) => {
      const { digest, payload, manifest } = image;
      const { mediaType } = manifest;
      expect(await tx.heldBlobs(repositoryId, [blob])).toEqual(new Map());
      const inserted = await tx.insertManifest({ repositoryId, digest, payload, mediaType, pushedBy: actor.id });
      const descriptor = { digest: blob, sizeBytes: content.length, mediaType: 'application/x-test' };
      const missing = [{ kind: 'blob', descriptor }] as const;
      await tx.insertReferences({
        manifestId: inserted.id,
        repositoryId,
        blobs: [],
        childIds: [],
        missing,
        graceMs: 0,
      });
    });
    await world.pushBlob(content);
    await push.commit();
    await deleteBlob(world.work, world.removal, blob);
    expect(await world.holdsBlob(blob)).toBe(true);
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await world.holdsBlob(blob)).toBe(false);
  });

  it('resolves the reference where the push was first', async () => {
    const content = `late ${randomUUID()}`;
    const image = imageOf([[sha256(content), content.length]]);
    await world.put(image, [], 'all');
    const blob = await world.pushBlob(content);
    expect(await blobRows(blob, 'sparse_reference')).toBe(0);
    expect(await blobRows(blob, 'manifest_blob')).toBe(1);
  });

  it('protects an entry that came while its index had not committed', async () => {
    const image = imageOf([[await world.pushBlob('{}'), 2]]);
    const index = indexOf(image);
    const { repositoryId, actor } = world;
    const push = await world.hold(async (tx) => {
      const { digest, payload, manifest } = index;
      const { mediaType } = manifest;
      const inserted = await tx.insertManifest({ repositoryId, digest, payload, mediaType, pushedBy: actor.id });
      const [descriptor] = manifest.manifests;
      const missing = descriptor ? [{ kind: 'manifest', descriptor } as const] : [];
      await tx.insertReferences({
        manifestId: inserted.id,
        repositoryId,
        blobs: [],
        childIds: [],
        missing,
        graceMs: 0,
      });
    });
    await world.put(image);
    await push.commit();
    expect(await outcomeOf(deleteManifest(world.work, world.removal, image.digest))).toBe('UNSUPPORTED');
    await deleteManifest(world.work, world.removal, index.digest);
    await deleteManifest(world.work, world.removal, image.digest);
  });
});

describe('usage', () => {
  it('is nothing again once everything is deleted, whatever came when', async () => {
    const content = `late ${randomUUID()}`;
    const blob = await world.pushBlob('{}');
    const image = imageOf([
      [blob, 2],
      [sha256(content), content.length],
    ]);
    const index = indexOf(image);
    await world.put(index, [], 'all');
    await world.put(image, [], 'all');
    await world.pushBlob(content);
    await deleteManifest(world.work, world.removal, index.digest);
    await deleteManifest(world.work, world.removal, image.digest);
    const { rows } = await world.owner.query(
      'SELECT sum(manifests)::int AS manifests, sum(size_bytes)::int AS bytes FROM usage_delta WHERE repository_id = $1',
      [world.repositoryId],
    );
    expect(rows).toEqual([{ manifests: 0, bytes: 0 }]);
  });
});
