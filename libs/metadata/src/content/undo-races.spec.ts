import { deleteRepository, restoreRepository, type Administration } from '@entrepot/access';
import { deleteManifest, restoreManifest, restoreTag, type UndoRoom } from '@entrepot/content';
import { parseTag, type RepositoryName } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { DataSource } from 'typeorm';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Pool } from 'pg';
import {
  PostgresAccessUnitOfWork,
  PostgresRepositories,
  PostgresUnitOfWork,
  createDataSource,
  createPool,
} from '../index.js';
import { CollectorWorld, migrateWithBrakes } from './collector-world.suite.js';
import { imageOf, indexOf, outcomeOf, type Document, type HeldTransaction } from './content-world.suite.js';

/* Races of docs/races.md around what is deleted and taken back, each in both orders. */

const database = withTestDatabase({ prepare: migrateWithBrakes });
const AWAY = `name = name || '@' || id, deleted_name = name, deleted_at = now(), deleted_by = 'test'`;
const BACK = `name = deleted_name, deleted_name = NULL, deleted_at = NULL, deleted_by = NULL`;
const V1 = parseTag('v1');
const DAY_MS = 86_400_000;
let source: DataSource;
let operators: Pool;
let world: CollectorWorld;
let room: UndoRoom;
let admin: Administration;
let image: Document;

beforeAll(async () => {
  const settings = { role: 'owner', poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 } as const;
  source = await createDataSource({ url: database.url, ...settings }).initialize();
  operators = createPool({ url: database.url, ...settings });
});
afterAll(() => Promise.all([source.destroy(), operators.end()]));

beforeEach(async () => {
  world = new CollectorWorld(database.url);
  await world.open();
  const actor = { id: undefined, name: 'cli:operator' };
  room = { ...world.removal, work: new PostgresUnitOfWork(operators), actor, undoMs: DAY_MS };
  admin = { store: new PostgresAccessUnitOfWork(source), actor };
  image = await newImage();
  await world.put(image, ['v1']);
});
/** What one test leaves deleted is not for the collector of the next one. */
afterEach(async () => {
  await world.close();
  await operators.query(`UPDATE repository SET ${BACK} WHERE deleted_at IS NOT NULL`);
});

const newImage = async (): Promise<Document> => imageOf([[await world.pushBlob('{}'), 2]]);
const name = (): RepositoryName => room.repositoryName;
const meaning = async () => (await world.reader.manifestByTag(world.repositoryId, V1))?.digest;
const isThere = async () => (await new PostgresRepositories(world.pool).find(name())) !== undefined;
const restoration = () => restoreManifest(room, image.digest);
const repositoryDeletion = () => deleteRepository(admin, name());
const repositoryRestoration = () => restoreRepository(admin, { which: { name: name() } });

/** 'done', or the name or code of what was thrown. */
const ended = async (work: Promise<unknown>) => {
  const outcome = await outcomeOf(work);
  if (!(outcome instanceof Error)) return outcome;
  return 'code' in outcome ? outcome.code : outcome.name;
};
const overtake = async (first: HeldTransaction, second: Promise<unknown>) => {
  const outcome = ended(second);
  await world.untilWaiting();
  await first.commit();
  return outcome;
};

/** A deletion up to its commit. */
const holdDeletion = () =>
  world.hold(async (tx) => {
    await tx.holdRepository(world.repositoryId);
    const { id } = (await tx.lockManifest(world.repositoryId, image.digest)) ?? { id: '' };
    await tx.removeTagsOf(world.repositoryId, id, world.actor);
    await tx.deleteManifest(id, world.actor, world.removal.graceMs);
  });
const deletion = async () => (await holdDeletion()).commit();
/** A restoration up to its commit. */
const holdRestoration = ({ digest } = image) =>
  world.hold(async (tx) => {
    await tx.holdRepository(world.repositoryId);
    const { id } = (await tx.undo.lockKept(world.repositoryId, digest)) ?? { id: '' };
    await tx.undo.restore(world.repositoryId, id, 0);
  });
/** The rows of a repository's deletion or restoration up to its commit. */
const holdRepositoryChange = (change: string) =>
  world.holdSql((client) => client.query(`UPDATE repository SET ${change} WHERE id = $1`, [world.repositoryId]));

describe('the restoration of a manifest, and its review', () => {
  beforeEach(deletion);

  it('comes too late where the review was first', async () => {
    const review = await world.holdCollector('manifest', { undoMs: 0 });
    expect(await overtake(review, restoration())).toBe('MANIFEST_UNKNOWN');
  });

  it('holds where it was first', async () => {
    const restored = await holdRestoration();
    await world.makeDue();
    expect(await world.collect({ undoMs: 0 })).toMatchObject({ manifestsRemoved: 0 });
    await restored.commit();
    expect(await world.collect({ undoMs: 0, untaggedMs: DAY_MS })).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.holdsManifest(image)).toBe(true);
  });
});

describe('the restoration of a manifest, and its deletion', () => {
  it('finds it deleted where the deletion was first', async () => {
    expect(await overtake(await holdDeletion(), restoration())).toBe('done');
    expect(await world.holdsManifest(image)).toBe(true);
  });

  it('happens once where two ask for it', async () => {
    await deletion();
    expect(await overtake(await holdRestoration(), restoration())).toBe('UNSUPPORTED');
  });
});

describe('the restoration of an index, and the deletion of an entry', () => {
  let index: Document;
  beforeEach(async () => {
    index = indexOf(image);
    await world.put(index);
    await deleteManifest(world.work, world.removal, index.digest);
  });

  it('brings the entry back where the deletion was first', async () => {
    expect(await overtake(await holdDeletion(), restoreManifest(room, index.digest))).toBe('done');
    expect(await world.holdsManifest(index)).toBe(true);
    expect(await world.holdsManifest(image)).toBe(true);
  });

  it('keeps the entry where it was first', async () => {
    const restored = await holdRestoration(index);
    expect(await overtake(restored, deleteManifest(world.work, world.removal, image.digest))).toBe('UNSUPPORTED');
    expect(await world.holdsManifest(image)).toBe(true);
  });
});

describe('the restoration of a tag, and a push of it', () => {
  let young: Document;
  beforeEach(async () => {
    young = await newImage();
    await world.put(young, ['v1']);
  });

  it('is overwritten where it was first', async () => {
    const last = await newImage();
    const restored = await world.hold(async (tx) => {
      await tx.lockTags(world.repositoryId, [V1]);
      const { id: manifestId } = (await tx.undo.lockKept(world.repositoryId, image.digest)) ?? { id: '' };
      const { repositoryId, actor } = world;
      await tx.moveTags({ repositoryId, tags: [V1], manifestId, digest: image.digest, actor, graceMs: 0 });
    });
    expect(await overtake(restored, world.put(last, ['v1']))).toBe('done');
    expect(await meaning()).toBe(last.digest);
  });

  it('takes back the push where that was first', async () => {
    const last = await newImage();
    await world.put(last);
    const push = await world.hold(async (tx) => {
      await tx.lockTags(world.repositoryId, [V1]);
      const { id: manifestId } = (await tx.lockManifest(world.repositoryId, last.digest)) ?? { id: '' };
      const { repositoryId, actor } = world;
      await tx.moveTags({ repositoryId, tags: [V1], manifestId, digest: last.digest, actor, graceMs: 0 });
    });
    expect(await overtake(push, restoreTag(room, V1))).toBe('done');
    expect(await meaning()).toBe(young.digest);
  });
});

describe('the deletion of a repository, and a change in it', () => {
  it.each([
    ['a push', () => world.put(image, ['v2'])],
    ['an upload that begins', () => world.begin()],
    ['the restoration of a manifest', restoration],
    ['the restoration of a tag', () => restoreTag(room, V1)],
  ])('refuses %s that comes second', async (_, change) => {
    expect(await overtake(await holdRepositoryChange(AWAY), change())).toBe('RepositoryGone');
    expect(await world.holdsManifest(image)).toBe(false);
    expect(await meaning()).toBeUndefined();
  });

  it('waits for a push that is first, and takes it with it', async () => {
    const other = await newImage();
    const push = await world.hold(async (tx) => {
      const { repositoryId, actor } = world;
      const { digest, payload, manifest } = other;
      await tx.insertManifest({ repositoryId, digest, payload, mediaType: manifest.mediaType, pushedBy: actor.id });
    });
    expect(await overtake(push, repositoryDeletion())).toBe('done');
    expect(await world.holdsManifest(other)).toBe(false);
    await repositoryRestoration();
    expect(await world.holdsManifest(other)).toBe(true);
    expect(await meaning()).toBe(image.digest);
  });

  it('waits for the restoration of a manifest that is first', async () => {
    await deletion();
    expect(await overtake(await holdRestoration(), repositoryDeletion())).toBe('done');
    await repositoryRestoration();
    expect(await world.holdsManifest(image)).toBe(true);
  });

  it('happens once where two ask for it', async () => {
    expect(await overtake(await holdRepositoryChange(AWAY), repositoryDeletion())).toBe('NOT_FOUND');
  });
});

describe('the restoration of a repository, and its removal', () => {
  beforeEach(repositoryDeletion);

  it('comes too late where the removal was first', async () => {
    const removal = await world.holdCollector('manifest', { undoMs: 0 });
    expect(await overtake(removal, repositoryRestoration())).toBe('NOT_FOUND');
    expect(await isThere()).toBe(false);
  });

  it('holds where it was first', async () => {
    const restored = await holdRepositoryChange(BACK);
    expect(await world.collect({ undoMs: 0 })).toMatchObject({ repositoriesRemoved: 0, manifestsRemoved: 0 });
    await restored.commit();
    await world.collect({ undoMs: 0 });
    expect(await meaning()).toBe(image.digest);
  });
});

describe('the restoration of a repository, and the review of what aged in it', () => {
  it('gives what time holds its time anew', async () => {
    const untagged = await newImage();
    await world.put(untagged);
    await repositoryDeletion();
    await operators.query(`UPDATE manifest SET pushed_at = now() - interval '30 days'`);
    await repositoryRestoration();
    await world.makeDue();
    expect(await world.collect({ untaggedMs: DAY_MS })).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.holdsManifest(untagged)).toBe(true);
  });
});

describe('the restoration of a repository, and a push that creates one of its name', () => {
  beforeEach(repositoryDeletion);

  it('is refused where the push was first', async () => {
    const id = '018f0000-0000-7000-8000-00000000000a';
    const push = await world.holdSql((client) =>
      client.query('INSERT INTO repository (id, namespace_id, name) VALUES ($1, $2, $3)', [id, world.actor.id, name()]),
    );
    expect(await overtake(push, repositoryRestoration())).toBe('NAME_TAKEN');
    await world.owner.query('DELETE FROM repository WHERE id = $1', [id]);
  });

  it('is what the push finds where it was first', async () => {
    const restored = await holdRepositoryChange(BACK);
    const wanted = { name: name(), namespaceId: world.actor.id, createdBy: world.actor };
    const found = new PostgresRepositories(world.pool).findOrCreate(wanted);
    await world.untilWaiting();
    await restored.commit();
    expect(await found).toMatchObject({ id: world.repositoryId });
  });
});
