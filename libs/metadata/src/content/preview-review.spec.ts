import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../index.js';
import { AT_ONCE } from './collect-all.suite.js';
import { ReviewWorld, type RowKey } from './review-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const DAY_MS = 86_400_000;
const NONE = { repositories: 0, manifests: 0, links: 0, blobs: 0, objects: 0, bytes: 0 };

let world: ReviewWorld;
beforeEach(async () => {
  world = new ReviewWorld(database.url);
  await world.owner.query(`
    TRUNCATE manifest_review, link_review, blob_review, gc_setting, doomed_object, tag, tag_history, manifest_child, manifest_blob,
      sparse_reference, manifest, repository_blob, blob`);
  await world.owner.query('UPDATE repository SET deleted_at = NULL, deleted_name = NULL');
  await world.open();
});
afterEach(() => world.close());

async function blobOf(...manifests: readonly RowKey[]): Promise<Buffer> {
  const digest = await world.blob();
  await world.link(digest);
  for (const manifest of manifests) await world.refer(manifest, digest);
  return digest;
}

const rows = async () => {
  const counted = ['manifest', 'repository_blob', 'blob', 'manifest_review', 'link_review', 'doomed_object'];
  const text = counted.map((table) => `SELECT '${table}' AS name, count(*)::int FROM ${table}`).join(' UNION ALL ');
  return (await world.owner.query(text)).rows as unknown;
};

/** An index with an entry, both signed; a blob of its own each, and one that a tagged manifest needs too. */
async function fill(): Promise<RowKey> {
  const [index, child, tagged] = [await world.manifest(), await world.manifest(), await world.manifest()];
  const signature = await world.manifest({ subject: index.digest });
  await world.tag(tagged);
  await world.list(index, child);
  for (const manifest of [index, child, signature]) await blobOf(manifest);
  await blobOf(child, tagged);
  await world.reviewOf(index);
  await world.linkReview(await blobOf());
  await world.linkReview(await blobOf(), '1 hour');
  return index;
}

describe('the preview of a review', () => {
  it('says what the review then removes, and changes nothing', async () => {
    await fill();
    const before = await rows();
    const preview = await world.reviews.previewReview(AT_ONCE);
    expect(await rows()).toEqual(before);
    expect(preview).toEqual({
      now: { repositories: 0, manifests: 3, links: 4, blobs: 4, objects: 4, bytes: 28 },
      later: { ...NONE, links: 1, blobs: 1, objects: 1, bytes: 7 },
    });
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 3, linksRemoved: 4, blobsRemoved: 4 });
    expect((await world.reviews.previewReview(AT_ONCE)).now).toEqual({ ...NONE, objects: 4, bytes: 28 });
  });

  it('tells apart what has its time first', async () => {
    const index = await fill();
    await world.owner.query(`UPDATE manifest SET pushed_at = now() - interval '2 days' WHERE id = $1`, [index.id]);
    expect(await world.reviews.previewReview({ ...AT_ONCE, graceMs: DAY_MS })).toEqual({
      now: { ...NONE, manifests: 1, links: 1, blobs: 1, objects: 1, bytes: 7 },
      later: { repositories: 0, manifests: 2, links: 4, blobs: 4, objects: 4, bytes: 28 },
    });
  });

  it('leaves out what is kept for ever', async () => {
    await fill();
    const preview = await world.reviews.previewReview({ ...AT_ONCE, untaggedMs: 'keep' });
    expect([preview.now.manifests, preview.later.manifests]).toEqual([0, 0]);
  });

  it('counts what was deleted, by its undo: manifests, and repositories as a whole', async () => {
    await blobOf(await world.manifest({ deletedAge: '2 days' }));
    await blobOf(await world.manifest({ deletedAge: '4 hours' }));
    world.repositoryId = await world.repository();
    const shared = await blobOf(await world.manifest());
    await world.owner.query(
      `UPDATE repository SET deleted_at = now() - interval '2 days', deleted_name = name WHERE id = $1`,
      [world.repositoryId],
    );
    expect(await world.reviews.previewReview({ ...AT_ONCE, undoMs: DAY_MS })).toEqual({
      now: { repositories: 1, manifests: 2, links: 2, blobs: 2, objects: 2, bytes: 14 },
      later: { ...NONE, manifests: 1, links: 1, blobs: 1, objects: 1, bytes: 7 },
    });
    await world.link(shared, await world.repository());
    expect((await world.reviews.previewReview({ ...AT_ONCE, undoMs: DAY_MS })).now).toMatchObject({
      links: 2,
      blobs: 1,
    });
  });
});
