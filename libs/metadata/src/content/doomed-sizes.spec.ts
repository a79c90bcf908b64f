import { deleteRepository } from '@entrepot/access';
import { appendChunk, cancelUpload, type UploadRef } from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { PostgresAccessUnitOfWork, createDataSource, migrate } from '../index.js';
import { ContentWorld } from './content-world.suite.js';
import { removeRepositoryChunk } from './remove-repository-chunk.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let source: DataSource;
let world: ContentWorld;
let ref: UploadRef;

beforeAll(async () => {
  const limits = { poolSize: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  source = await createDataSource({ url: database.url, role: 'owner', ...limits }).initialize();
});
beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  await world.owner.query('TRUNCATE doomed_object');
  ref = await world.begin();
  const chunk = (async function* () {
    yield Buffer.from('not finished');
  })();
  await appendChunk(world.room, ref, { stateOffset: 0 }, chunk);
});
afterEach(() => world.close());
afterAll(() => source.destroy());

const doomed = async () => (await world.owner.query('SELECT reason, size_bytes::int AS bytes FROM doomed_object')).rows;

describe('what an upload had received is counted when it is freed', () => {
  it('where the upload is cancelled', async () => {
    await cancelUpload(world.room, ref);
    expect(await doomed()).toEqual([{ reason: 'upload cancelled', bytes: 12 }]);
  });

  it('where its repository is deleted', async () => {
    const store = new PostgresAccessUnitOfWork(source);
    await deleteRepository({ store, actor: { id: undefined, name: 'cli:operator' } }, world.removal.repositoryName);
    expect(await doomed()).toEqual([{ reason: 'repository deleted', bytes: 12 }]);
  });

  it('where the last of its repository is removed', async () => {
    expect(await removeRepositoryChunk(world.owner, world.repositoryId, 100)).toMatchObject({ isGone: true });
    expect(await doomed()).toEqual([{ reason: 'repository removed', bytes: 12 }]);
  });
});
