import {
  deleteBlob,
  deleteManifest,
  deleteTag,
  purgeManifest,
  restoreManifest,
  type UndoRoom,
} from '@entrepot/content';
import { RegistryError, parseTag, type Digest } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import * as fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresReviews, migrate, usageDifferences } from '../index.js';
import { collectAll } from '../content/collect-all.suite.js';
import { ContentWorld, imageOf, indexOf, type Document } from '../content/content-world.suite.js';

const DAY_MS = 86_400_000;

interface Step {
  readonly kind:
    'push' | 'pushIndex' | 'deleteTag' | 'delete' | 'restore' | 'purge' | 'deleteBlob' | 'collect' | 'letGo';
  readonly item: number;
}

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;
let undo: UndoRoom;
let blobs: Digest[];
let images: Document[];

beforeAll(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  undo = { ...world.removal, work: world.work, undoMs: DAY_MS };
  const contents = ['a', 'bb', 'ccc', 'dddd'];
  blobs = await Promise.all(contents.map((content) => world.pushBlob(content)));
  const held = blobs.map((digest, index): [Digest, number] => [digest, index + 1]);
  images = held.map((one, index) => imageOf([one, held[(index + 1) % held.length] ?? one]));
});
afterAll(() => world.close());

const collect = (undoMs: number) => collectAll(new PostgresReviews(world.jobs), { undoMs });

const image = (item: number): Document => {
  const found = images[item % images.length];
  if (!found) throw new Error('no image');
  return found;
};

/** What it names may be gone: then it comes again, as clients do it. */
const push = async (document: Document, tag: string): Promise<void> => {
  for (const content of ['a', 'bb', 'ccc', 'dddd']) await world.pushBlob(content);
  await world.put(document, [tag]);
};

const ACTIONS: Readonly<Record<Step['kind'], (item: number) => Promise<unknown>>> = {
  push: (item) => push(image(item), `v${item % 3}`),
  pushIndex: async (item) => {
    for (const each of [item, item + 1]) await push(image(each), 'each');
    await world.put(indexOf(image(item), image(item + 1)), [`index${item % 2}`]);
  },
  deleteTag: (item) => deleteTag(world.work, world.removal, parseTag(item % 2 === 0 ? `v${item % 3}` : 'index1')),
  delete: (item) => deleteManifest(world.work, world.removal, image(item).digest),
  restore: (item) => restoreManifest(undo, image(item).digest),
  purge: (item) => purgeManifest(undo, image(item).digest),
  deleteBlob: (item) => deleteBlob(world.work, world.removal, blobs[item % blobs.length] as Digest),
  collect: () => collect(DAY_MS),
  letGo: () => collect(0),
};

/** What is not there, or is needed, is refused and changes nothing. */
const run = async ({ kind, item }: Step): Promise<void> => {
  try {
    await ACTIONS[kind](item);
  } catch (error) {
    if (!(error instanceof RegistryError)) throw error;
  }
};

const steps = fc.array(
  fc.record<Step>({
    kind: fc.constantFrom(...(Object.keys(ACTIONS) as Step['kind'][]), 'push', 'push', 'delete'),
    item: fc.nat(5),
  }),
  { maxLength: 25 },
);

describe('the account of what the product itself stores and removes', () => {
  it('is exact after whatever was pushed, deleted, restored, purged and collected', async () => {
    await fc.assert(
      fc.asyncProperty(steps, async (done) => {
        for (const step of done) await run(step);
        expect(await usageDifferences(world.jobs)).toEqual([]);
      }),
      { numRuns: 12 },
    );
    await collect(0);
    expect(await usageDifferences(world.jobs)).toEqual([]);
  }, 120_000);
});
