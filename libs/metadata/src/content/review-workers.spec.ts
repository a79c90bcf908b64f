import { randomUUID } from 'node:crypto';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { PostgresReviews } from '../index.js';
import { CollectorWorld, migrateWithBrakes } from './collector-world.suite.js';
import { imageOf } from './content-world.suite.js';
import { decideManifests, takeManifests } from './review-manifests.js';
import { AT_ONCE } from './collect-all.suite.js';

/* What docs/gc.md says of workers: how many there are, what time they have, who else is at work. */

const MANIFESTS = 60;
const DAY_MS = 86_400_000;

const database = withTestDatabase({ prepare: migrateWithBrakes });
let world: CollectorWorld;

beforeEach(async () => {
  world = new CollectorWorld(database.url);
  await world.open();
});
afterEach(async () => {
  vi.useRealTimers();
  await world.close();
});

const pushUntagged = async () => {
  const content = randomUUID();
  const image = imageOf([[await world.pushBlob(content), content.length]]);
  await world.put(image);
  return image;
};
const count = async (table: string) =>
  (await world.owner.query(`SELECT FROM ${table} WHERE repository_id = $1`, [world.repositoryId])).rows.length;

describe('two workers', () => {
  it('share the work, and do none of it twice', async () => {
    for (let made = 0; made < MANIFESTS; made += 1) await pushUntagged();
    await world.makeDue();
    const workers = [world.reviews, new PostgresReviews(world.jobs), new PostgresReviews(world.jobs)];
    const tallies = await Promise.all(workers.map((reviews) => world.collect({}, reviews)));
    expect(tallies.reduce((sum, { manifestsRemoved }) => sum + manifestsRemoved, 0)).toBe(MANIFESTS);
    await world.makeDue();
    await world.collect();
    for (const table of ['manifest', 'repository_blob', 'link_review']) {
      expect([table, await count(table)]).toEqual([table, 0]);
    }
  });

  it('do not wait for each other', async () => {
    const mine = await pushUntagged();
    await world.makeDue();
    const first = await world.jobs.connect();
    await first.query('BEGIN');
    const taken = await takeManifests(first, MANIFESTS);
    expect(await decideManifests(first, AT_ONCE, taken)).toBe(1);
    const other = await pushUntagged();
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
    expect([await world.holdsManifest(mine), await world.holdsManifest(other)]).toEqual([true, false]);
    await first.query('COMMIT');
    first.release();
    expect(await count('manifest')).toBe(0);
  });

  it('take over what one left that died within its transaction', async () => {
    await pushUntagged();
    const first = await world.holdCollector('manifest');
    await first.rollBack();
    await world.makeDue();
    await world.collect();
    expect(await count('manifest')).toBe(0);
  });
});

describe("a worker's clock", () => {
  it.each([1, -1])('says nothing about what is due, %i days off', async (days) => {
    const image = await pushUntagged();
    vi.useFakeTimers({ now: Date.now() + days * DAY_MS, toFake: ['Date'] });
    expect(await world.collect({ untaggedMs: DAY_MS / 2 })).toMatchObject({ manifestsRemoved: 0, linksRemoved: 0 });
    expect(await world.holdsManifest(image)).toBe(true);
    await world.makeDue();
    expect(await world.collect({ untaggedMs: DAY_MS / 2 })).toMatchObject({ manifestsRemoved: 1 });
  });
});

describe('a long transaction', () => {
  it('that reads is not in the way, and sees what it saw', async () => {
    await pushUntagged();
    const reader = await world.owner.connect();
    await reader.query('BEGIN ISOLATION LEVEL REPEATABLE READ');
    const seen = async () =>
      (await reader.query('SELECT FROM manifest WHERE repository_id = $1', [world.repositoryId])).rows.length;
    expect(await seen()).toBe(1);
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
    expect(await seen()).toBe(1);
    await reader.query('COMMIT');
    expect(await seen()).toBe(0);
    reader.release();
  });

  it('that holds a row is passed by, and its row is looked at afterwards', async () => {
    const [held, other] = [await pushUntagged(), await pushUntagged()];
    await world.makeDue();
    const long = await world.hold((tx) => tx.lockManifest(world.repositoryId, held.digest));
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
    expect(await world.holdsManifest(held)).toBe(true);
    expect(await world.holdsManifest(other)).toBe(false);
    await long.commit();
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });
});
