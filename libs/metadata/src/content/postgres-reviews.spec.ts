import type { ReviewFailure, ReviewTerms } from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresReviews, migrate } from '../index.js';
import { AT_ONCE, collectAll } from './collect-all.suite.js';
import { ReviewWorld } from './review-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const DAY_MS = 86_400_000;
const HOUR = 3600;

let world: ReviewWorld;
beforeEach(async () => {
  world = new ReviewWorld(database.url);
  await world.owner.query(`
    TRUNCATE manifest_review, link_review, blob_review, gc_setting, doomed_object, manifest_use, manifest_use_mark, audit_event,
      tag, tag_history, manifest_child, manifest_blob, sparse_reference, manifest, repository_blob, blob`);
  await world.owner.query('UPDATE repository SET deleted_at = NULL, deleted_name = NULL');
  await world.open();
});
afterEach(() => world.close());

const has = (table: string, column: string, value: unknown) => world.has(table, column, value);
const auditOf = async (action: string): Promise<unknown[]> => {
  const { rows } = await world.owner.query<{ detail: unknown }>(
    `SELECT detail FROM audit_event WHERE action = $1 AND actor_name = 'gc' AND actor_id IS NULL ORDER BY id`,
    [action],
  );
  return rows.map((row) => row.detail);
};

const deleteRepository = (age: string) =>
  world.owner.query('UPDATE repository SET deleted_at = now() - $2::interval, deleted_name = name WHERE id = $1', [
    world.repositoryId,
    age,
  ]);

describe('the chain of reviews', () => {
  it('goes from a manifest to its links, to their blobs, to doomed objects, in one run', async () => {
    const [index, child] = [await world.manifest(), await world.manifest()];
    await world.list(index, child);
    const [first, second] = [await world.blob(), await world.blob()];
    for (const digest of [first, second]) {
      await world.link(digest);
      await world.refer(child, digest);
    }
    await world.awaits(index, Buffer.alloc(33), 'blob');
    await world.reviewOf(index);
    expect(await world.collect()).toEqual({
      repositoriesRemoved: 0,
      manifestsReviewed: 2,
      manifestsRemoved: 2,
      linksReviewed: 2,
      linksRemoved: 2,
      blobsReviewed: 2,
      blobsRemoved: 2,
    });
    const { rows } = await world.owner.query(
      'SELECT reason, size_bytes::int, due_at <= now() AS is_due FROM doomed_object',
    );
    expect(rows).toEqual([1, 2].map(() => ({ reason: 'unlinked', size_bytes: 7, is_due: true })));
    for (const table of ['manifest', 'repository_blob', 'blob', 'manifest_review', 'link_review', 'blob_review']) {
      expect({ table, ...(await world.owner.query(`SELECT FROM ${table}`)) }).toMatchObject({ table, rowCount: 0 });
    }
    expect(await auditOf('manifest.removed')).toHaveLength(2);
    expect(await auditOf('link.removed')).toEqual([{ links: 2 }]);
    expect(await auditOf('blob.removed')).toEqual([{ blobs: 2, bytes: 14 }]);
  });

  it('gives what a manifest named the grace time, and takes none that was promised for longer', async () => {
    const manifest = await world.manifest({ age: '2 days' });
    const [plain, promised] = [await world.blob(), await world.blob()];
    for (const digest of [plain, promised]) {
      await world.link(digest);
      await world.refer(manifest, digest);
    }
    await world.linkReview(promised, '3 days');
    await world.reviewOf(manifest);
    expect(await world.collect({ graceMs: DAY_MS })).toMatchObject({ manifestsRemoved: 1, linksReviewed: 0 });
    const { rows } = await world.owner.query<{ hours: number }>(
      'SELECT round(extract(epoch FROM due_at - now()) / 3600)::int AS hours FROM link_review ORDER BY due_at',
    );
    expect(rows.map(({ hours }) => hours)).toEqual([24, 72]);
  });

  it('subtracts from usage what was counted, and nothing that was deleted before', async () => {
    const [live, deleted] = [await world.manifest(), await world.manifest({ deletedAge: '1 day' })];
    const digest = await world.blob();
    await world.link(digest);
    await world.refer(live, digest);
    await world.refer(deleted, digest);
    await world.awaits(live, Buffer.alloc(33, 2), 'blob');
    for (const manifest of [live, deleted]) await world.reviewOf(manifest);
    const counted = async () => {
      const { rows } = await world.owner.query(
        'SELECT sum(manifests)::int AS manifests, sum(size_bytes)::int AS bytes FROM usage_delta WHERE repository_id = $1',
        [world.repositoryId],
      );
      return rows[0] as unknown;
    };
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 2 });
    expect(await counted()).toEqual({ manifests: -1, bytes: -(2 + 7 + 7) });
  });
});

describe('the review of a manifest', () => {
  it('drops the task of a live one, and holds one that time keeps', async () => {
    const [tagged, young] = [await world.manifest(), await world.manifest()];
    await world.tag(tagged);
    for (const manifest of [tagged, young]) await world.reviewOf(manifest);
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsReviewed: 2, manifestsRemoved: 0 });
    expect(await world.dueIn(tagged)).toBeUndefined();
    expect(await world.dueIn(young)).toBeGreaterThan(23 * HOUR);
  });

  it('looks at what is kept for ever once in a month all the same', async () => {
    const manifest = await world.manifest();
    await world.reviewOf(manifest);
    await world.collect({ untaggedMs: 'keep' });
    expect(await world.dueIn(manifest)).toBeGreaterThan(29 * 24 * HOUR);
  });

  it('lets a referrer go after its subject, by the time that it lost it', async () => {
    const subject = await world.manifest({ age: '3 days' });
    const referrer = await world.manifest({ age: '3 days', subject: subject.digest });
    await world.reviewOf(subject);
    expect(await world.collect({ orphansMs: DAY_MS })).toMatchObject({ manifestsRemoved: 1 });
    expect(await world.dueIn(referrer)).toBeGreaterThan(23 * HOUR);
    await world.owner.query(`UPDATE manifest_review SET due_at = now(), orphaned_at = now() - interval '25 hours'`);
    expect(await world.collect({ orphansMs: DAY_MS })).toMatchObject({ manifestsRemoved: 1 });
  });

  it('looks at a subject whose referrer lost the claim by which both lived', async () => {
    const subject = await world.manifest();
    const referrer = await world.manifest({ subject: subject.digest });
    await world.reviewOf(referrer);
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 2 });
  });

  it('looks at a subject whose referrer was removed, and leaves it the time that it has', async () => {
    const subject = await world.manifest();
    const referrer = await world.manifest({ subject: subject.digest, deletedAge: '1 day' });
    await world.reviewOf(referrer);
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsReviewed: 2, manifestsRemoved: 1 });
    expect(await world.dueIn(subject)).toBeGreaterThan(23 * HOUR);
  });

  it('looks at the entries of an index after the grace time', async () => {
    const [index, child, awaited] = [
      await world.manifest({ age: '2 days' }),
      await world.manifest({ age: '2 days' }),
      await world.manifest({ age: '2 days' }),
    ];
    await world.list(index, child);
    await world.awaits(index, awaited.digest, 'manifest');
    await world.reviewOf(index);
    await world.collect({ graceMs: DAY_MS });
    expect(await has('manifest', 'id', index.id)).toBe(false);
    for (const entry of [child, awaited]) expect(await world.dueIn(entry)).toBeGreaterThan(23 * HOUR);
  });

  it('forgets when a manifest was used that is gone', async () => {
    const manifest = await world.manifest();
    await world.use(manifest, '1 hour');
    await world.reviewOf(manifest);
    await world.collect();
    expect(await has('manifest_use', 'manifest_id', manifest.id)).toBe(false);
  });
});

describe('deleted manifests', () => {
  it('are let go when their undo is over, an index before its entries, whatever their tasks say', async () => {
    const [index, child] = [
      await world.manifest({ deletedAge: '8 days' }),
      await world.manifest({ deletedAge: '8 days' }),
    ];
    await world.list(index, child);
    await world.reviewOf(child, '20 days');
    const young = await world.manifest({ deletedAge: '6 days' });
    expect(await world.collect({ undoMs: 7 * DAY_MS })).toMatchObject({ manifestsRemoved: 2 });
    expect(await has('manifest', 'id', young.id)).toBe(true);
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });

  it('of a repository that is deleted too are left to its removal', async () => {
    await world.manifest({ deletedAge: '8 days' });
    await world.owner.query('UPDATE repository SET deleted_at = now(), deleted_name = name WHERE id = $1', [
      world.repositoryId,
    ]);
    expect(await world.collect({ undoMs: 7 * DAY_MS })).toMatchObject({ manifestsReviewed: 0, repositoriesRemoved: 0 });
  });
});

describe('many deleted manifests', () => {
  const MANY = 1100;
  const deleteMany = () =>
    world.owner.query(
      `INSERT INTO manifest (repository_id, digest, media_type, payload, deleted_at)
       SELECT $1, '\\x01'::bytea || sha256(n::text::bytea), 'application/x-test', '{}', now() - interval '8 days'
       FROM generate_series(1, $2::int) AS n`,
      [world.repositoryId, MANY],
    );

  it('are made due when nothing else is, and go before more of them are', async () => {
    const due: number[] = [];
    class Watched extends PostgresReviews {
      override async reviewDeleted(...terms: Parameters<PostgresReviews['reviewDeleted']>) {
        due.push((await world.owner.query('SELECT FROM manifest_review WHERE due_at <= now()')).rows.length);
        return super.reviewDeleted(...terms);
      }
    }
    await deleteMany();
    expect(await collectAll(new Watched(world.jobs), { undoMs: 7 * DAY_MS })).toMatchObject({ manifestsRemoved: MANY });
    expect(new Set(due)).toEqual(new Set([0]));
  });

  it('are looked at once each, whatever became of them', async () => {
    await deleteMany();
    const first = await world.reviews.reviewDeleted(0, 1000, undefined);
    expect(first).toMatchObject({ taken: 1000 });
    expect(await world.reviews.reviewDeleted(0, 1000, undefined)).toMatchObject({ taken: 0, last: first.last });
    expect(await world.reviews.reviewDeleted(0, 1000, first.last)).toMatchObject({ taken: 100, last: undefined });
  });
});

describe('the review of a link', () => {
  it('keeps what a manifest names, or a sparse one awaits, deleted or not', async () => {
    const digests = [await world.blob(), await world.blob(), await world.blob()] as const;
    for (const digest of digests) {
      await world.link(digest);
      await world.linkReview(digest);
    }
    await world.refer(await world.manifest({ deletedAge: '0' }), digests[0]);
    await world.awaits(await world.manifest(), digests[1], 'blob');
    expect(await world.collect({ undoMs: DAY_MS })).toMatchObject({
      linksReviewed: 3,
      linksRemoved: 1,
      blobsRemoved: 1,
    });
    expect(await has('link_review', 'repository_id', world.repositoryId)).toBe(false);
    expect(await has('blob', 'digest', digests[2])).toBe(false);
  });

  it('takes none before its time, and none of another repository', async () => {
    const digest = await world.blob();
    const elsewhere = await world.repository();
    await world.link(digest);
    await world.link(digest, elsewhere);
    await world.linkReview(digest);
    await world.linkReview(digest, '1 hour', elsewhere);
    expect(await world.collect()).toMatchObject({ linksRemoved: 1, blobsReviewed: 1, blobsRemoved: 0 });
    expect(await has('repository_blob', 'repository_id', elsewhere)).toBe(true);
    expect(await has('blob_review', 'digest', digest)).toBe(false);
  });

  it('is dropped where the link is gone', async () => {
    await world.linkReview(await world.blob());
    expect(await world.collect()).toMatchObject({ linksReviewed: 1, linksRemoved: 0 });
    expect(await has('link_review', 'repository_id', world.repositoryId)).toBe(false);
  });
});

describe('the review of a blob', () => {
  it('of the version before this one becomes one of the links that have none', async () => {
    const digest = await world.blob();
    await world.link(digest);
    await world.blobReview(digest, 'uploaded');
    const referenced = await world.blob();
    await world.link(referenced);
    await world.refer(await world.manifest(), referenced);
    await world.blobReview(referenced, 'mounted');
    expect(await world.collect({ graceMs: DAY_MS })).toMatchObject({ blobsReviewed: 2, blobsRemoved: 0 });
    expect(await has('link_review', 'digest', referenced)).toBe(false);
    await world.owner.query('UPDATE link_review SET due_at = now()');
    expect(await world.collect()).toMatchObject({ linksRemoved: 1, blobsRemoved: 1 });
  });

  it('is dropped where the blob is gone', async () => {
    await world.blobReview(Buffer.alloc(33));
    expect(await world.collect()).toMatchObject({ blobsReviewed: 1, blobsRemoved: 0 });
    expect(await has('blob_review', 'digest', Buffer.alloc(33))).toBe(false);
  });
});

describe('a deleted repository', () => {
  it('is removed with all that is in it when its undo is over, in chunks', async () => {
    const [index, child] = [await world.manifest(), await world.manifest({ deletedAge: '1 day' })];
    await world.list(index, child);
    await world.tag(index);
    await world.left(index);
    const digests = [await world.blob(), await world.blob()] as const;
    for (const digest of digests) await world.link(digest);
    await world.refer(child, digests[0]);
    await world.awaits(index, Buffer.alloc(33), 'blob');
    await world.reviewOf(index);
    await world.linkReview(digests[1], '1 hour');
    await deleteRepository('2 days');
    expect(await world.collect({ undoMs: 3 * DAY_MS })).toMatchObject({ repositoriesRemoved: 0, manifestsRemoved: 0 });
    const terms = 2 * DAY_MS;
    expect(await world.reviews.removeRepository(terms, 1, [])).toMatchObject({ manifests: 1, removed: 0 });
    const { rows } = await world.owner.query('SELECT FROM repository WHERE removal_began_at IS NOT NULL');
    expect(rows).toHaveLength(1);
    expect(await world.collect({ undoMs: terms })).toMatchObject({
      repositoriesRemoved: 1,
      manifestsRemoved: 1,
      linksRemoved: 2,
      blobsRemoved: 2,
    });
    expect(await has('repository', 'id', world.repositoryId)).toBe(false);
    expect(await auditOf('repository.removed')).toEqual([{ repositoryId: world.repositoryId }]);
  });

  it('that cannot be removed is not in the way of others', async () => {
    await world.owner.query('CREATE TABLE obstacle (id uuid REFERENCES repository (id))');
    await deleteRepository('3 days');
    const stuck = world.repositoryId;
    await world.owner.query('INSERT INTO obstacle VALUES ($1)', [stuck]);
    world.repositoryId = await world.repository();
    await deleteRepository('2 days');
    const failures: ReviewFailure[] = [];
    expect(await world.collect({}, failures)).toMatchObject({ repositoriesRemoved: 1 });
    expect(new Set(failures.map(({ subject }) => subject))).toEqual(new Set([stuck]));
    await world.owner.query('DROP TABLE obstacle');
    expect(await world.collect()).toMatchObject({ repositoriesRemoved: 1 });
  });
});

describe('a task that fails', () => {
  it('is put off, longer each time, and takes none with it', async () => {
    await world.owner.query('CREATE TABLE obstacle (id bigint REFERENCES manifest (id))');
    const [stuck, other] = [await world.manifest(), await world.manifest()];
    await world.owner.query('INSERT INTO obstacle VALUES ($1)', [stuck.id]);
    for (const manifest of [stuck, other]) await world.reviewOf(manifest);
    const failures: ReviewFailure[] = [];
    expect(await world.collect({}, failures)).toMatchObject({ manifestsRemoved: 1 });
    expect(failures.map(({ subject }) => subject)).toEqual([`manifest ${stuck.id}`]);
    const first = (await world.dueIn(stuck)) ?? 0;
    await world.owner.query('UPDATE manifest_review SET due_at = now()');
    await world.collect({}, failures);
    expect(await world.dueIn(stuck)).toBeGreaterThan(first + 1);
    await world.owner.query('DROP TABLE obstacle');
    await world.owner.query('UPDATE manifest_review SET due_at = now()');
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });
});

/** Of a run that goes on to its links all the same. */
const failuresOf = async (terms: Partial<ReviewTerms>) => {
  const failures: ReviewFailure[] = [];
  expect(await world.collect(terms, failures)).toMatchObject({ linksRemoved: 1, blobsRemoved: 1 });
  return new Set(failures.map(({ subject }) => subject));
};

describe('a client that holds a task', () => {
  let client: PoolClient;
  beforeEach(async () => {
    client = await world.owner.connect();
    await client.query('BEGIN');
    const digest = await world.blob();
    await world.link(digest);
    await world.linkReview(digest);
  });
  afterEach(async () => {
    await client.query('ROLLBACK');
    client.release();
  });

  it('keeps deleted manifests from being looked at, and nothing else', async () => {
    const { id } = await world.manifest({ deletedAge: '1 day' });
    await client.query(`INSERT INTO manifest_review (manifest_id, reason, due_at) VALUES ($1, 'test', now())`, [id]);
    expect(await failuresOf({})).toEqual(new Set(['deleted manifests']));
    await client.query('ROLLBACK');
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });

  it('does not keep others of the deleted from being looked at where it is there already', async () => {
    const [held] = [await world.manifest({ deletedAge: '2 days' }), await world.manifest({ deletedAge: '1 day' })];
    await world.reviewOf(held, '1 day');
    await client.query('SELECT FROM manifest_review WHERE manifest_id = $1 FOR UPDATE', [held.id]);
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });

  it('keeps changed settings from being noted, and nothing else', async () => {
    await world.reviews.noteTerms(AT_ONCE);
    await client.query('SELECT FROM gc_setting FOR UPDATE');
    expect(await failuresOf({ undoMs: DAY_MS })).toEqual(new Set(['changed settings']));
  });

  it('that is in the way of a removal has it put off for a moment, and no attempt counted', async () => {
    const { id } = await world.manifest();
    await world.reviewOf({ id, digest: Buffer.alloc(0) });
    await world.owner.query('CREATE TABLE obstacle (id bigint REFERENCES manifest (id))');
    await client.query('LOCK TABLE obstacle IN ACCESS EXCLUSIVE MODE');
    expect(await failuresOf({})).toEqual(new Set([`manifest ${id}`]));
    const { rows } = await world.owner.query<{ attempts: number }>('SELECT attempts FROM manifest_review');
    expect(rows).toEqual([{ attempts: 0 }]);
    await client.query('ROLLBACK');
    await world.owner.query('DROP TABLE obstacle');
    await world.owner.query('UPDATE manifest_review SET due_at = now()');
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });

  it('which failed has it left as it is', async () => {
    const { id } = await world.manifest();
    await world.reviewOf({ id, digest: Buffer.alloc(0) });
    await world.owner.query('CREATE TABLE obstacle (id bigint REFERENCES manifest (id))');
    await world.owner.query('INSERT INTO obstacle VALUES ($1)', [id]);
    let takes = 0;
    let held: Promise<unknown> | undefined;
    // The first look is at all of the batch; after the second one the task would be put off.
    const reviews = new PostgresReviews(world.jobs, async (step) => {
      if (step !== 'takeManifests' || (takes += 1) !== 2) return;
      held = client.query('SELECT FROM manifest_review WHERE manifest_id = $1 FOR UPDATE', [id]);
      await vi.waitUntil(async () => {
        const { rows } = await world.owner.query('SELECT FROM pg_locks WHERE NOT granted');
        return rows.length > 0;
      }, 5000);
    });
    expect(await reviews.reviewManifests(AT_ONCE, 10)).toMatchObject({ failures: [{ subject: `manifest ${id}` }] });
    await held;
    await client.query('ROLLBACK');
    await world.owner.query('DROP TABLE obstacle');
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });
});

describe('a setting that changes', () => {
  it('brings forward what waits by it, and leaves what waits by another', async () => {
    const [untagged, left, orphan] = [
      await world.manifest(),
      await world.manifest({ age: '3 days' }),
      await world.manifest({ subject: Buffer.alloc(33) }),
    ];
    await world.left(left);
    for (const manifest of [untagged, left, orphan]) await world.reviewOf(manifest);
    const terms = { untaggedMs: 2 * DAY_MS, undoMs: 5 * DAY_MS, orphansMs: 2 * DAY_MS };
    expect(await world.collect(terms)).toMatchObject({ manifestsReviewed: 3, manifestsRemoved: 0 });
    expect(await world.collect(terms)).toMatchObject({ manifestsReviewed: 0 });
    expect(await world.collect({ ...terms, undoMs: 0 })).toMatchObject({ manifestsReviewed: 1, manifestsRemoved: 0 });
    expect(await world.collect({ ...terms, undoMs: 0, orphansMs: 0 })).toMatchObject({ manifestsReviewed: 1 });
    expect(await has('manifest', 'id', orphan.id)).toBe(false);
    expect(await world.collect(AT_ONCE)).toMatchObject({ manifestsReviewed: 2, manifestsRemoved: 2 });
  });

  it('of one namespace brings forward what is in it, and so does its end', async () => {
    const manifest = await world.manifest();
    await world.reviewOf(manifest);
    const rule = (value: string | null) =>
      world.owner.query('UPDATE namespace SET untagged = $1 WHERE id = $2', [value, world.namespaceId]);
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsReviewed: 1 });
    await rule('keep');
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsReviewed: 1 });
    expect(await world.dueIn(manifest)).toBeGreaterThan(48 * HOUR);
    await rule(null);
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsReviewed: 1 });
    expect(await world.dueIn(manifest)).toBeLessThan(25 * HOUR);
    await rule('0s');
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsRemoved: 1 });
    await rule(null);
  });
});
