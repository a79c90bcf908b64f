import { deleteManifest, deleteTag } from '@entrepot/content';
import { parseTag } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { digestBytes } from '../database/digest-bytes.js';
import { CollectorWorld, migrateWithBrakes } from './collector-world.suite.js';
import { imageOf, indexOf, outcomeOf, type Document } from './content-world.suite.js';

/* Races of docs/gc.md around manifests, each in both orders; see review-blob-races.spec.ts. */

const database = withTestDatabase({ prepare: migrateWithBrakes });
let world: CollectorWorld;
let image: Document;

beforeEach(async () => {
  world = new CollectorWorld(database.url);
  await world.open();
  image = await newImage();
  await world.put(image);
});
afterEach(() => world.close());

const newImage = async (subject?: Document) => imageOf([[await world.pushBlob('{}'), 2]], subject);
const rowExists = async ({ digest }: Document) =>
  (await world.owner.query('SELECT FROM manifest WHERE digest = $1', [digestBytes(digest)])).rows.length > 0;
const tagged = async (tag: string) => (await world.reader.manifestByTag(world.repositoryId, parseTag(tag)))?.digest;
/** The client's change up to its commit, passed by in the meantime by a review of everything. */
const reviewBeside = async (table: string, change: () => Promise<unknown>) => {
  await world.makeDue();
  const held = await world.holdCommit('registry', table, change);
  const tally = await world.collect();
  await held.commit();
  return tally;
};
const deletion = ({ digest }: Document) => deleteManifest(world.work, world.removal, digest);

describe('a re-push, and the review of the manifest', () => {
  it('makes it anew where the review was first', async () => {
    const review = await world.holdCollector('manifest');
    expect(await world.overtake(review, world.put(image))).toBe('done');
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.holdsManifest(image)).toBe(true);
  });

  it('keeps it where the push was first', async () => {
    expect(await reviewBeside('manifest', () => world.put(image))).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.holdsManifest(image)).toBe(true);
  });
});

describe('a tag that comes, and the review of the manifest', () => {
  it('points at a manifest that was made anew where the review was first', async () => {
    const review = await world.holdCollector('manifest');
    expect(await world.overtake(review, world.put(image, ['v1']))).toBe('done');
    await world.makeDue();
    await world.collect();
    expect(await tagged('v1')).toBe(image.digest);
  });

  it('holds it where it was first', async () => {
    expect(await reviewBeside('tag', () => world.put(image, ['v1']))).toMatchObject({ manifestsRemoved: 0 });
    await world.makeDue();
    await world.collect();
    expect(await tagged('v1')).toBe(image.digest);
  });
});

describe('a tag that leaves and comes back', () => {
  let young: Document;
  beforeEach(async () => {
    young = await newImage();
    await world.put(image, ['v1']);
    await world.put(young, ['v1']);
  });

  it('comes back to a manifest that was made anew where the review was first', async () => {
    const review = await world.holdCollector('manifest');
    expect(await world.overtake(review, world.put(image, ['v1']))).toBe('done');
    await world.makeDue();
    await world.collect();
    expect(await tagged('v1')).toBe(image.digest);
    expect(await rowExists(young)).toBe(false);
  });

  it('lets only the other one go where it came back first', async () => {
    expect(await reviewBeside('tag', () => world.put(image, ['v1']))).toMatchObject({ manifestsRemoved: 0 });
    await world.makeDue();
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
    expect(await tagged('v1')).toBe(image.digest);
  });

  it('is held by its history for the time of undo', async () => {
    await world.makeDue();
    expect(await world.collect({ undoMs: 7 * 86_400_000 })).toMatchObject({ manifestsRemoved: 0 });
    expect(await rowExists(image)).toBe(true);
  });
});

describe('an index, and the review of its child', () => {
  it('is refused where the review was first', async () => {
    const review = await world.holdCollector('manifest');
    expect(await world.overtake(review, world.put(indexOf(image), ['v1']))).toBe('MANIFEST_BLOB_UNKNOWN');
    expect(await tagged('v1')).toBeUndefined();
  });

  it('holds its child where it was first', async () => {
    const index = indexOf(image);
    expect(await reviewBeside('manifest', () => world.put(index, ['v1']))).toMatchObject({ manifestsRemoved: 0 });
    await world.makeDue();
    await world.collect();
    expect(await world.holdsManifest(image)).toBe(true);
  });
});

describe('two indexes that share a child', () => {
  it('leave it to the review that the second one writes', async () => {
    const [one, two] = [indexOf(image), indexOf(image)];
    await world.put(one);
    await world.put(two, ['v1']);
    const review = await world.holdCollector('manifest');
    const untagged = outcomeOf(deleteTag(world.work, world.removal, parseTag('v1')));
    expect(await untagged).toBe('done');
    await review.commit();
    expect(await rowExists(one)).toBe(false);
    for (let round = 0; round < 2; round += 1) {
      await world.makeDue();
      await world.collect();
    }
    for (const gone of [two, image]) expect(await rowExists(gone)).toBe(false);
  });
});

describe('a push and the deletion of the same manifest, then the review', () => {
  it('keeps it where the push was second', async () => {
    const deleted = await world.holdCommit('registry', 'manifest', () => deletion(image));
    expect(await world.overtake(deleted, world.put(image, ['v1']))).toBe('done');
    await world.makeDue();
    await world.collect();
    expect(await tagged('v1')).toBe(image.digest);
  });

  it('lets it go where the deletion was second', async () => {
    const pushed = await world.holdCommit('registry', 'tag', () => world.put(image, ['v1']));
    expect(await world.overtake(pushed, deletion(image))).toBe('done');
    await world.collect();
    expect(await rowExists(image)).toBe(false);
    expect(await tagged('v1')).toBeUndefined();
  });
});

describe('the deletion of a manifest, and its review', () => {
  it('finds none where the review was first', async () => {
    const review = await world.holdCollector('manifest');
    const deleted = outcomeOf(deletion(image));
    expect(await world.overtake(review, deleted)).toBe('done');
    expect(await deleted).toBe('MANIFEST_UNKNOWN');
  });

  it('is passed by where it was first, and done by the next review', async () => {
    expect(await reviewBeside('manifest', () => deletion(image))).toMatchObject({ manifestsRemoved: 0 });
    expect(await world.collect()).toMatchObject({ manifestsRemoved: 1 });
  });
});

describe('a referrer, and the review of its subject', () => {
  it('is left without it where it had not committed, and goes as an orphan', async () => {
    const referrer = await newImage(image);
    expect(await reviewBeside('manifest', () => world.put(referrer))).toMatchObject({ manifestsRemoved: 1 });
    await world.makeDue();
    await world.collect();
    for (const gone of [image, referrer]) expect(await rowExists(gone)).toBe(false);
  });

  it('is pushed all the same where the review was first', async () => {
    const referrer = await newImage(image);
    const review = await world.holdCollector('manifest');
    await world.put(referrer, ['signature']);
    await review.commit();
    await world.makeDue();
    await world.collect();
    expect(await tagged('signature')).toBe(referrer.digest);
    expect(await rowExists(image)).toBe(false);
  });

  it('keeps it where it was committed, by a claim of its own', async () => {
    const [plain, signature] = [await newImage(image), await newImage(image)];
    await world.put(plain);
    await world.put(signature, ['signature']);
    await world.makeDue();
    await world.collect();
    for (const kept of [image, plain, signature]) expect(await rowExists(kept)).toBe(true);
    await deleteTag(world.work, world.removal, parseTag('signature'));
    for (let round = 0; round < 3; round += 1) {
      await world.makeDue();
      await world.collect();
    }
    for (const gone of [image, plain, signature]) expect(await rowExists(gone)).toBe(false);
  });
});
