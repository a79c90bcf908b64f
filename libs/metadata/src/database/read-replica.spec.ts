import { randomUUID } from 'node:crypto';
import { deleteBlob, deleteManifest } from '@entrepot/content';
import { parseTag } from '@entrepot/oci';
import { hasStreamingPair, startStreamingPair, type StreamingPair } from '@entrepot/testkit/streaming-pair';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf, type Document } from '../content/content-world.suite.js';
import {
  PostgresContentReader,
  PostgresUnitOfWork,
  ReadReplica,
  createPool,
  migrate,
  type DatabasePool,
} from '../index.js';

const MAX_LAG_MS = 2_000;
const LAGGING = { mayLag: true };

describe.skipIf(!hasStreamingPair())('a read replica', () => {
  let pair: StreamingPair;
  let world: ContentWorld;
  let replicaPool: DatabasePool;
  let replica: ReadReplica;
  let reader: PostgresContentReader;

  beforeAll(async () => {
    pair = await startStreamingPair();
    await migrate(pair.primaryUrl);
  });
  afterAll(() => pair.remove());

  beforeEach(async () => {
    world = new ContentWorld(pair.primaryUrl);
    await world.open();
    const timeouts = { statementTimeoutMs: 2_000, lockTimeoutMs: 2_000 };
    replicaPool = createPool({ url: pair.replicaUrl, role: 'registry', poolSize: 2, ...timeouts });
    replica = new ReadReplica(world.pool, replicaPool, MAX_LAG_MS);
    replica.start(() => {});
    reader = new PostgresContentReader(world.pool, world.pool, replica);
    await until(() => replica.isFresh());
  });
  afterEach(async () => {
    await pair.resumeReplay();
    await replica.stop();
    await replicaPool.end();
    await world.close();
  });

  const find = ({ digest }: Document) => reader.manifestByDigest(world.repositoryId, digest, LAGGING);

  async function push(tag: string): Promise<Document> {
    const config = await world.pushBlob(randomUUID());
    const image = imageOf([[config, 36]]);
    await world.put(image, [tag]);
    return image;
  }

  it('answers what its digest names, and content that was removed for no longer than the lag allowed', async () => {
    const image = await push('v1');
    const blob = await world.pushBlob(randomUUID());
    await until(() => isReplayed());
    await pair.pauseReplay();
    await deleteManifest(world.work, world.removal, image.digest);
    await deleteBlob(world.work, world.removal, blob);
    // Only the replica still has them: this is where they are read.
    expect(await find(image)).toMatchObject({ digest: image.digest });
    expect(await reader.blob(world.repositoryId, blob, LAGGING)).toBeDefined();
    await until(() => !replica.isFresh());
    expect(await find(image)).toBeUndefined();
    expect(await reader.blob(world.repositoryId, blob, LAGGING)).toBeUndefined();
  });

  it('is not asked by who may have removed content', async () => {
    const image = await push('v1');
    await until(() => isReplayed());
    await pair.pauseReplay();
    await deleteManifest(world.work, world.removal, image.digest);
    expect(await reader.manifestByDigest(world.repositoryId, image.digest)).toBeUndefined();
  });

  it('is not asked about a repository that this process changed, until it has the change', async () => {
    const image = await push('v1');
    await until(() => isReplayed());
    await pair.pauseReplay();
    const work = new PostgresUnitOfWork(world.pool, replica);
    await deleteManifest(work, world.removal, image.digest);
    expect(await find(image)).toBeUndefined();
    await pair.resumeReplay();
    await until(() => replica.isFreshFor(world.repositoryId));
    expect(await find(image)).toBeUndefined();
  });

  it('hides nothing that was pushed, and no tag that moved', async () => {
    await push('v1');
    await until(() => isReplayed());
    await pair.pauseReplay();
    const image = await push('v1');
    const blob = await world.pushBlob(randomUUID());
    expect(await find(image)).toMatchObject({ digest: image.digest });
    expect(await reader.blob(world.repositoryId, blob, LAGGING)).toBeDefined();
    expect(await reader.manifestByTag(world.repositoryId, parseTag('v1'))).toMatchObject({ digest: image.digest });
  });

  it('is passed over while it is gone, and asked again when it caught up', async () => {
    const image = await push('v1');
    await pair.stopReplica();
    expect(await find(image)).toMatchObject({ digest: image.digest });
    expect(replica.isFresh()).toBe(false);
    await pair.startReplica();
    await until(() => replica.isFresh());
    expect(await find(image)).toMatchObject({ digest: image.digest });
  });

  it('is never fresh where it is no replica', async () => {
    const changes: unknown[] = [];
    const primary = new ReadReplica(world.pool, world.pool, MAX_LAG_MS);
    primary.start((...change) => changes.push(change));
    await world.pool.query('SELECT pg_sleep(1.5)');
    expect(primary.isFresh()).toBe(false);
    await primary.stop();
    expect(changes).toEqual([]);
  });

  async function isReplayed(): Promise<boolean> {
    const { rows } = await world.owner.query<{ position: string }>('SELECT pg_current_wal_lsn()::text AS position');
    const reached = await replicaPool.query<{ has: boolean }>(
      'SELECT pg_last_wal_replay_lsn() >= $1::text::pg_lsn AS has',
      [rows[0]?.position],
    );
    return reached.rows[0]?.has === true;
  }
});

async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await isSo())) await new Promise((resolve) => setTimeout(resolve, 20));
}
