import {
  deleteBlob,
  deleteManifest,
  deleteTag,
  purgeManifest,
  purgeTag,
  restoreManifest,
  restoreTag,
  type TagGoal,
  type UndoRoom,
} from '@entrepot/content';
import { parseTag, type Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { PostgresTagHistory, PostgresUnitOfWork, migrate } from '../index.js';
import { ContentWorld, imageOf, indexOf, sha256, type Document } from './content-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const V1 = parseTag('v1');
const DAY_MS = 86_400_000;
let world: ContentWorld;
let room: UndoRoom;
let config: Digest;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  // As the command line does it: by the owner's login, and without an account.
  const actor = { id: undefined, name: 'cli:operator' };
  room = { ...world.removal, work: new PostgresUnitOfWork(world.owner), actor, undoMs: DAY_MS };
  config = await world.pushBlob('{}');
});
afterEach(() => world.close());

const image = (subject?: Document): Document => imageOf([[config, 2]], subject);
const remove = (document: Document) => deleteManifest(world.work, world.removal, document.digest);
const restore = (tag = V1, goal: TagGoal = {}) => restoreTag(room, tag, goal);
const meaning = async (tag = V1) => (await world.reader.manifestByTag(world.repositoryId, tag))?.digest;
const changes = (tag?: typeof V1, before?: string) =>
  new PostgresTagHistory(world.pool).changes({
    repositoryId: world.repositoryId,
    limit: 3,
    ...(tag && { tag }),
    ...(before !== undefined && { before }),
  });
const usage = async () => {
  const { rows } = await world.owner.query(
    `SELECT coalesce(sum(manifests), 0)::int AS manifests, coalesce(sum(size_bytes), 0)::int AS bytes
     FROM usage_delta WHERE repository_id = $1`,
    [world.repositoryId],
  );
  return rows[0];
};
const audited = async () => {
  const { rows } = await world.owner.query<{ action: string; actor_name: string }>(
    'SELECT action, actor_name FROM audit_event WHERE target = $1 ORDER BY id DESC LIMIT 1',
    [room.repositoryName],
  );
  return rows[0];
};
const rowsOf = async (table: string, column: string, value: unknown) =>
  (await world.owner.query(`SELECT FROM ${table} WHERE ${column} = $1`, [value])).rowCount;

describe('the history of a tag', () => {
  it('says who changed what and when, newest first, in pages', async () => {
    const [one, two] = [image(), image()];
    await world.put(one, ['v1']);
    await world.put(two, ['v1', 'other']);
    await deleteTag(room.work, room, V1);
    const by = world.actor.name;
    const found = await changes(V1);
    expect(found).toMatchObject([
      { tag: 'v1', digest: undefined, previousDigest: two.digest, changedBy: 'cli:operator' },
      { tag: 'v1', digest: two.digest, previousDigest: one.digest, changedBy: by },
      { tag: 'v1', digest: one.digest, previousDigest: undefined, changedBy: by },
    ]);
    expect(found[0]?.changedAt).toBeInstanceOf(Date);
    const all = await changes();
    expect([...all, ...(await changes(undefined, all.at(-1)?.id))]).toHaveLength(4);
  });
});

describe('a tag', () => {
  it('goes back to what it meant before it moved, and forth again', async () => {
    const [one, two] = [image(), image()];
    await world.put(one, ['v1']);
    await world.put(two, ['v1']);
    expect(await restore()).toMatchObject({ digest: one.digest, manifests: [], isChanged: true });
    expect(await meaning()).toBe(one.digest);
    await restore();
    expect(await meaning()).toBe(two.digest);
    expect(await changes(V1)).toMatchObject([
      { digest: two.digest, previousDigest: one.digest, changedBy: 'cli:operator' },
      { digest: one.digest, previousDigest: two.digest },
      { digest: two.digest, previousDigest: one.digest },
    ]);
    expect(await audited()).toEqual({ action: 'tag.restored', actor_name: 'cli:operator' });
  });

  it('that was deleted comes back', async () => {
    const one = image();
    await world.put(one, ['v1']);
    await deleteTag(world.work, world.removal, V1);
    expect(await meaning()).toBeUndefined();
    await restore();
    expect(await meaning()).toBe(one.digest);
  });

  it('brings its manifest back, with all entries, its referrers and its usage', async () => {
    const [one, two] = [image(), image()];
    await world.put(one);
    await world.put(two);
    const index = indexOf(one, two);
    await world.put(index, ['v1']);
    const signature = image(index);
    await world.put(signature);
    const before = await usage();
    for (const document of [index, one, two]) await remove(document);
    expect(await world.holdsManifest(two)).toBe(false);
    const { manifests } = await restore();
    expect(new Set(manifests.map(({ digest }) => digest))).toEqual(new Set([index.digest, one.digest, two.digest]));
    expect(await meaning()).toBe(index.digest);
    for (const document of [index, one, two]) expect(await world.holdsManifest(document)).toBe(true);
    expect(await usage()).toEqual(before);
    const query = { repositoryId: world.repositoryId, subject: index.digest, limit: 10, limitBytes: 1e6 };
    expect((await world.reader.referrers(query)).referrers).toMatchObject([{ digest: signature.digest }]);
    await expect(remove(one)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  it('goes back to a digest that it meant, or that the repository serves, and to no other', async () => {
    const [one, two, served, gone] = [image(), image(), image(), image()];
    await world.put(one, ['v1']);
    await world.put(two, ['v1']);
    await world.put(served);
    await world.put(gone);
    await remove(gone);
    await remove(one);
    await restore(V1, { digest: one.digest });
    expect(await meaning()).toBe(one.digest);
    await restore(V1, { digest: served.digest });
    expect(await restore(V1, { digest: served.digest })).toMatchObject({ isChanged: false });
    for (const { digest } of [gone, image()]) {
      await expect(restore(V1, { digest })).rejects.toMatchObject({ code: 'TAG_INVALID' });
    }
    expect(await meaning()).toBe(served.digest);
  });

  it('goes back to what it meant at a time', async () => {
    const [one, two] = [image(), image()];
    await world.put(one, ['v1']);
    await world.put(two, ['v1']);
    const [last, first] = await changes(V1);
    await world.owner.query(`UPDATE tag_history SET changed_at = changed_at - interval '1 hour' WHERE id = $1`, [
      first?.id,
    ]);
    await restore(V1, { at: new Date((last?.changedAt.getTime() ?? 0) - 1) });
    expect(await meaning()).toBe(one.digest);
    const tooEarly = restore(V1, { at: new Date(Date.now() - DAY_MS) });
    await expect(tooEarly).rejects.toThrow(/begins after/);
  });

  it('has nothing to go back to where it was new, or never there', async () => {
    await world.put(image(), ['v1']);
    await expect(restore()).rejects.toMatchObject({ code: 'TAG_INVALID' });
    await expect(restore(parseTag('none'))).rejects.toThrow(/no history/);
  });

  it('does not come back once its content was collected, or while undo is off', async () => {
    const one = image();
    await world.put(one, ['v1']);
    await remove(one);
    await expect(restoreTag({ ...room, undoMs: 0 }, V1)).rejects.toThrow(/ENTREPOT_GC_UNDO/);
    await purgeManifest(room, one.digest);
    await expect(restore()).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });
});

describe('a manifest', () => {
  it('comes back without its tags, and is safe from the next look', async () => {
    const one = image();
    await world.put(one, ['v1']);
    await remove(one);
    await restoreManifest(room, one.digest);
    expect(await world.holdsManifest(one)).toBe(true);
    expect(await meaning()).toBeUndefined();
    expect(await audited()).toEqual({ action: 'manifest.restored', actor_name: 'cli:operator' });
    await expect(restoreManifest(room, one.digest)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    await expect(restoreManifest(room, sha256('never'))).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });

  it('that is pushed again while it is deleted is as new', async () => {
    const one = image();
    await world.put(one, ['v1']);
    const before = await usage();
    await remove(one);
    await world.put(one, ['v2']);
    expect(await meaning(parseTag('v2'))).toBe(one.digest);
    expect(await usage()).toEqual(before);
    await remove(one);
    expect(await usage()).toEqual({ manifests: 0, bytes: 0 });
  });

  it('serves a deleted blob again when it comes back, and not before', async () => {
    const blob = await world.pushBlob('wanted');
    const one = imageOf([[blob, 6]]);
    await world.put(one);
    await deleteBlob(world.work, world.removal, blob);
    expect(await world.holdsBlob(blob)).toBe(true);
    await remove(one);
    expect(await world.holdsBlob(blob)).toBe(false);
    await restoreManifest(room, one.digest);
    expect(await world.holdsBlob(blob)).toBe(true);
  });

  it('becomes an entry of the sparse index that awaited it', async () => {
    const one = image();
    await world.put(one);
    await remove(one);
    await world.put(indexOf(one), ['v1'], 'indexes');
    await restoreManifest(room, one.digest);
    await expect(remove(one)).rejects.toMatchObject({ code: 'UNSUPPORTED' });
    expect(await rowsOf('sparse_reference', 'repository_id', world.repositoryId)).toBe(0);
  });

  it('that was deleted is no entry of an index that is pushed again without it', async () => {
    const one = image();
    await world.put(one);
    const index = indexOf(one);
    await world.put(index);
    await remove(index);
    await remove(one);
    await expect(world.put(index)).rejects.toMatchObject({ code: 'MANIFEST_BLOB_UNKNOWN' });
    await world.put(index, [], 'indexes');
    expect(await world.holdsManifest(one)).toBe(false);
    expect(await rowsOf('sparse_reference', 'repository_id', world.repositoryId)).toBe(1);
  });
});

describe('what is purged', () => {
  it('is gone at once with its tags and its own entries, and leaves what others need', async () => {
    const [own, shared] = [image(), image()];
    await world.put(own);
    await world.put(shared, ['kept']);
    const index = indexOf(own, shared);
    await world.put(index, ['v1']);
    expect(await purgeManifest(room, index.digest)).toEqual({ digests: [index.digest, own.digest] });
    expect(await meaning()).toBeUndefined();
    expect(await meaning(parseTag('kept'))).toBe(shared.digest);
    expect(await rowsOf('manifest', 'repository_id', world.repositoryId)).toBe(1);
    expect(await usage()).toMatchObject({ manifests: 1 });
    await expect(purgeManifest(room, index.digest)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
  });

  it('cannot be what an index lists, live or deleted', async () => {
    const one = image();
    await world.put(one);
    const index = indexOf(one);
    await world.put(index);
    await expect(purgeManifest(room, one.digest)).rejects.toThrow(/purge the index first/);
    await remove(index);
    await expect(purgeManifest(room, one.digest)).rejects.toThrow(/deleted index/);
    await purgeManifest(room, index.digest);
    expect(await rowsOf('manifest', 'repository_id', world.repositoryId)).toBe(0);
  });

  it('makes its links due now, whatever was promised', async () => {
    const blob = await world.pushBlob('secret');
    const one = imageOf([[blob, 6]]);
    await world.put(one, ['v1']);
    await purgeManifest(room, one.digest);
    const { rows } = await world.owner.query(
      'SELECT due_at <= now() AS is_due FROM link_review WHERE repository_id = $1 AND digest = $2',
      [world.repositoryId, Buffer.from(`01${blob.slice(7)}`, 'hex')],
    );
    expect(rows).toEqual([{ is_due: true }]);
    expect(await audited()).toMatchObject({ action: 'manifest.purged' });
  });

  it('with a tag is its history, and its manifest where nothing else needs it', async () => {
    const [one, two] = [image(), image()];
    await world.put(one, ['v1']);
    await world.put(two, ['v1', 'other']);
    expect(await purgeTag(room, V1)).toEqual({ digests: [] });
    expect(await changes(V1)).toEqual([]);
    const { rows } = await world.owner.query(
      'SELECT t.reason FROM manifest_review t JOIN manifest m ON m.id = t.manifest_id WHERE m.digest = $1 AND due_at <= now()',
      [Buffer.from(`01${one.digest.slice(7)}`, 'hex')],
    );
    expect(rows).toEqual([{ reason: 'history purged' }]);
    await deleteTag(world.work, world.removal, parseTag('other'));
    expect(await purgeTag(room, parseTag('other'))).toEqual({ digests: [two.digest] });
    await expect(purgeTag(room, V1)).rejects.toMatchObject({ code: 'MANIFEST_UNKNOWN' });
    expect(await audited()).toMatchObject({ action: 'tag.purged' });
  });

  it('is not what another tag can be restored to', async () => {
    const latest = parseTag('latest');
    const [one, two] = [image(), image()];
    await world.put(one, ['v1', 'latest']);
    await world.put(two, ['latest']);
    expect(await purgeTag(room, V1)).toEqual({ digests: [] });
    expect(await restore(latest)).toMatchObject({ digest: one.digest });
    await world.put(two, ['latest']);
    const index = indexOf(one);
    await world.put(index);
    expect(await purgeManifest(room, index.digest)).toEqual({ digests: [index.digest] });
    await world.put(index);
    expect(await purgeManifest({ ...room, undoMs: 0 }, index.digest)).toEqual({ digests: [index.digest, one.digest] });
  });

  it('is not the subject of a referrer that something needs', async () => {
    const one = image();
    await world.put(one, ['v1']);
    const statement = image(one);
    await world.put(statement);
    await world.put(image(statement), ['signed']);
    expect(await purgeTag(room, V1)).toEqual({ digests: [] });
    await world.put(one, ['v1']);
    await purgeTag(room, parseTag('signed'));
    expect(await purgeTag(room, V1)).toEqual({ digests: [one.digest] });
  });
});
