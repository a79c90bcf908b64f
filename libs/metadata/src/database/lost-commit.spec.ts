import { randomUUID } from 'node:crypto';
import { deleteBlob, deleteManifest, deleteTag } from '@entrepot/content';
import { parseTag } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { startPostgresProxy, type CutPoint, type PostgresProxy } from '@entrepot/testkit/postgres-proxy';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf } from '../content/content-world.suite.js';
import { migrate } from '../index.js';
import { DatabaseUnavailable } from './errors.js';
import { queryRows, runUnitOfWork } from './unit-of-work.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const POINTS: readonly CutPoint[] = ['before', 'after', 'late'];

let proxy: PostgresProxy;
let world: ContentWorld;
let config: Awaited<ReturnType<ContentWorld['pushBlob']>>;

beforeAll(async () => {
  proxy = await startPostgresProxy(database.url);
});
afterAll(() => proxy.close());

beforeEach(async () => {
  world = new ContentWorld(database.url, { url: proxy.url, patienceMs: 5_000 });
  await world.open();
  config = await world.pushBlob('{}');
  return () => world.close();
});

/** Rows of the repository's changes, by kind: each tells of one change that happened once. */
async function changes() {
  const kind = `kind = 'manifest.pushed' OR kind LIKE '%.deleted'`;
  const { rows } = await world.owner.query<Record<string, number>>(
    `SELECT
       (SELECT count(*)::int FROM outbox_event WHERE payload->>'repositoryId' = $1 AND (${kind})) AS events,
       (SELECT count(*)::int FROM audit_event WHERE target = $2 AND action <> 'repository.created') AS audited,
       (SELECT coalesce(sum(manifests), 0)::int FROM usage_delta WHERE repository_id = $1::text::uuid) AS manifests,
       (SELECT count(*)::int FROM tag_history WHERE repository_id = $1::text::uuid) AS history`,
    [world.repositoryId, world.removal.repositoryName],
  );
  return rows[0];
}

async function cut<T>(text: string, point: CutPoint, work: () => Promise<T>): Promise<T> {
  const before = proxy.cutCount();
  proxy.cutNext(text, point);
  const result = await work();
  expect(proxy.cutCount()).toBe(before + 1);
  return result;
}

describe.each(POINTS)('a connection that is lost %s COMMIT reached Postgres', (point) => {
  it('leaves a push of a manifest that happened once', async () => {
    const pushed = imageOf([[config, 2]]);
    await cut('COMMIT', point, () => world.put(pushed, ['v1']));
    expect(await world.holdsManifest(pushed)).toBe(true);
    expect(await changes()).toEqual({ events: 1, audited: 1, manifests: 1, history: 1 });
  });

  it('leaves removals that happened once', async () => {
    const pushed = imageOf([[config, 2]]);
    await world.put(pushed, ['v1', 'v2']);
    await cut('COMMIT', point, () => deleteTag(world.work, world.removal, parseTag('v1')));
    await cut('COMMIT', point, () => deleteManifest(world.work, world.removal, pushed.digest));
    await cut('COMMIT', point, () => deleteBlob(world.work, world.removal, config));
    expect(await world.holdsManifest(pushed)).toBe(false);
    expect(await world.holdsBlob(config)).toBe(false);
    expect(await changes()).toEqual({ events: 4, audited: 4, manifests: 0, history: 4 });
  });

  it('leaves one repository, made once', async () => {
    const id = await cut('COMMIT', point, () => world.newRepository('made'));
    const made = await world.owner.query('SELECT FROM audit_event WHERE target = $1', [`${world.actor.name}/made`]);
    expect(made.rowCount).toBe(1);
    expect(await world.newRepository('made')).toBe(id);
  });

  it.each(['start-upload', 'lease-upload', 'finish-upload'])('leaves a blob that is there: %s', async (statement) => {
    const content = `${statement} ${point} ${randomUUID()}`;
    const digest = await cut(statement, point, () => world.pushBlob(content));
    expect(await world.holdsBlob(digest)).toBe(true);
    const left = await world.owner.query('SELECT FROM upload WHERE repository_id = $1', [world.repositoryId]);
    expect(left.rowCount).toBe(0);
  });

  it('does not lose a lease that is prolonged or given back', async () => {
    const { uploads } = world.room;
    const ref = await world.begin();
    const lease = { uploadId: ref.uploadId, leaseId: randomUUID() };
    await uploads.lease(ref, lease, { leaseMs: 60_000 });
    const progress = { offsetBytes: 7 };
    expect(await cut('renew-upload', point, () => uploads.renew(lease, 60_000, progress))).toBe(true);
    expect(await cut('release-upload', point, () => uploads.release(lease, progress))).toBe(true);
    expect(await uploads.find(ref)).toMatchObject({ offsetBytes: 7 });
  });

  it('is not guessed about where the transaction has no key', async () => {
    const runs: number[] = [];
    const work = runUnitOfWork(world.pool, async () => void runs.push(1));
    proxy.cutNext('COMMIT', point);
    await expect(work).rejects.toMatchObject({ name: 'DatabaseUnavailable', outcome: 'unknown' });
    const statement = queryRows(world.pool, { text: 'SELECT 1 AS lost_one' });
    proxy.cutNext('lost_one', point);
    await expect(statement).rejects.toThrow(DatabaseUnavailable);
    expect(runs).toHaveLength(1);
  });
});

describe('a connection that is lost within a transaction', () => {
  it('begins it anew', async () => {
    const pushed = imageOf([[config, 2]]);
    await cut('insert-manifest', 'after', () => world.put(pushed, ['v1']));
    expect(await changes()).toEqual({ events: 1, audited: 1, manifests: 1, history: 1 });
  });
});
