import type { ReviewTerms } from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../index.js';
import { judgeManifests } from './manifest-liveness.js';
import { ReviewWorld, type RowKey } from './review-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const DAY_MS = 86_400_000;
const TERMS: ReviewTerms = { graceMs: DAY_MS, undoMs: 7 * DAY_MS, untaggedMs: 30 * DAY_MS, orphansMs: 2 * DAY_MS };
const LONG_AGO = '400 days';

let world: ReviewWorld;
beforeAll(async () => {
  world = new ReviewWorld(database.url);
  await world.open();
});
afterAll(() => world.close());

/** `live`, `gone`, or what holds it and for how many days. */
async function verdictOn({ id }: RowKey, terms: Partial<ReviewTerms> = {}): Promise<string> {
  const [verdict] = await judgeManifests(world.jobs, [id], { ...TERMS, ...terms });
  if (verdict?.state !== 'held') return verdict?.state ?? 'unknown';
  const { until } = verdict;
  return `${verdict.hold} ${until instanceof Date ? Math.round((until.getTime() - Date.now()) / DAY_MS) : 'for ever'}`;
}

describe('a manifest', () => {
  it('lives by a tag', async () => {
    const manifest = await world.manifest({ age: LONG_AGO });
    await world.tag(manifest);
    expect(await verdictOn(manifest)).toBe('live');
  });

  it('lives by an index that lists it, be that deleted, or sparse', async () => {
    const [listed, child, awaited] = [
      await world.manifest({ age: LONG_AGO }),
      await world.manifest({ age: LONG_AGO }),
      await world.manifest({ age: LONG_AGO }),
    ];
    const index = await world.manifest({ age: LONG_AGO });
    await world.list(index, listed);
    await world.list(await world.manifest({ age: LONG_AGO, deletedAge: LONG_AGO }), child);
    await world.awaits(index, awaited.digest, 'manifest');
    for (const manifest of [listed, child, awaited]) expect(await verdictOn(manifest)).toBe('live');
    expect(await verdictOn(index)).toBe('gone');
  });

  it('does not live by a blob of a sparse manifest, nor by what names its digest elsewhere', async () => {
    const manifest = await world.manifest({ age: LONG_AGO });
    await world.awaits(await world.manifest(), manifest.digest, 'blob');
    const elsewhere = await world.repository();
    const stranger = await world.manifest({ in: elsewhere });
    await world.owner.query(
      `INSERT INTO sparse_reference (repository_id, digest, manifest_id, kind, size_bytes) VALUES ($1, $2, $3, 'manifest', 1)`,
      [elsewhere, manifest.digest, stranger.id],
    );
    await world.manifest({ in: elsewhere, subject: manifest.digest });
    await world.owner.query(`INSERT INTO tag_history (repository_id, name, previous_digest) VALUES ($1, 'left', $2)`, [
      elsewhere,
      manifest.digest,
    ]);
    expect(await verdictOn(manifest)).toBe('gone');
  });

  it('is held as long as the history of a tag is young', async () => {
    const manifest = await world.manifest({ age: LONG_AGO });
    await world.left(manifest, '6 days');
    expect(await verdictOn(manifest, { untaggedMs: 0 })).toBe('history 1');
    expect(await verdictOn(manifest, { untaggedMs: 0, undoMs: 0 })).toBe('gone');
    await world.left(manifest, '2 days');
    expect(await verdictOn(manifest, { untaggedMs: 0 })).toBe('history 5');
    expect(await verdictOn(manifest, { untaggedMs: 6 * DAY_MS })).toBe('history 5');
    expect(await verdictOn(manifest)).toBe('untagged 28');
  });

  it('is safe for the grace time after its push, and after a tag left it', async () => {
    const terms = { undoMs: 0, untaggedMs: 0, orphansMs: 0, graceMs: 10 * DAY_MS };
    expect(await verdictOn(await world.manifest({ age: '3 days' }), terms)).toBe('untagged 7');
    const left = await world.manifest({ age: LONG_AGO });
    await world.left(left, '4 days');
    expect(await verdictOn(left, terms)).toBe('untagged 6');
    expect(await verdictOn(await world.manifest({ age: '3 days', subject: left.digest }), terms)).toBe('live');
    expect(await verdictOn(await world.manifest({ age: '3 days', subject: Buffer.alloc(33) }), terms)).toBe('orphan 7');
  });
});

describe('an untagged manifest', () => {
  it('is kept for a time after its push, its last use, and the last tag that left it', async () => {
    const manifest = await world.manifest({ age: '29 days' });
    expect(await verdictOn(manifest)).toBe('untagged 1');
    await world.use(manifest, '20 days');
    expect(await verdictOn(manifest)).toBe('untagged 10');
    await world.use(manifest, '12 days', 'manifest_use_mark');
    await world.use(manifest, '15 days', 'manifest_use_mark');
    expect(await verdictOn(manifest)).toBe('untagged 18');
    await world.left(manifest, '10 days');
    expect(await verdictOn(manifest)).toBe('untagged 20');
    expect(await verdictOn(manifest, { untaggedMs: 3 * DAY_MS })).toBe('gone');
  });

  it('of a repository that was restored is kept for its time from then on', async () => {
    const repositoryId = await world.repository();
    const [untagged, orphan] = [
      await world.manifest({ age: LONG_AGO, in: repositoryId }),
      await world.manifest({ age: LONG_AGO, in: repositoryId, subject: Buffer.alloc(33) }),
    ];
    await world.owner.query(`UPDATE repository SET restored_at = now() - interval '1 day' WHERE id = $1`, [
      repositoryId,
    ]);
    expect(await verdictOn(untagged)).toBe('untagged 29');
    expect(await verdictOn(untagged, { untaggedMs: 0 })).toBe('gone');
    expect(await verdictOn(orphan)).toBe('orphan 1');
  });

  it('that is pulled is not collected for want of a mark that was spared', async () => {
    const manifest = await world.manifest({ age: LONG_AGO });
    await world.use(manifest, '101 minutes');
    // Marks are made once in ten minutes at this setting, so that the last pull may be so much younger.
    expect(await verdictOn(manifest, { undoMs: 0, untaggedMs: 100 * 60_000 })).toBe('untagged 0');
    expect(await verdictOn(manifest, { undoMs: 0, untaggedMs: 90 * 60_000 })).toBe('gone');
  });

  it('is kept for ever where the setting says so', async () => {
    expect(await verdictOn(await world.manifest({ age: LONG_AGO }), { untaggedMs: 'keep' })).toBe('untagged for ever');
  });

  it.each([
    ['keep', 'untagged for ever'],
    ['0s', 'gone'],
    ['60m', 'gone'],
    ['10d', 'untagged 5'],
    ['240h', 'untagged 5'],
    ['14400m', 'untagged 5'],
    ['864000s', 'untagged 5'],
    ['864000000ms', 'untagged 5'],
    ['999999999d', 'untagged 36495'],
  ])('follows the rule of its namespace: %s', async (rule, expected) => {
    const manifest = await world.manifest({ age: '5 days' });
    await world.owner.query('UPDATE namespace SET untagged = $1 WHERE id = $2', [rule, world.namespaceId]);
    for (const untaggedMs of ['keep', 30 * DAY_MS] as const) {
      expect(await verdictOn(manifest, { untaggedMs })).toBe(expected);
    }
    await world.owner.query('UPDATE namespace SET untagged = NULL WHERE id = $1', [world.namespaceId]);
  });
});

describe('a referrer', () => {
  it('lives while its subject does, and however old it is', async () => {
    const subject = await world.manifest({ age: LONG_AGO });
    await world.tag(subject);
    const referrer = await world.manifest({ age: LONG_AGO, subject: subject.digest });
    const second = await world.manifest({ age: LONG_AGO, subject: referrer.digest });
    expect(await verdictOn(referrer)).toBe('live');
    expect(await verdictOn(second)).toBe('live');
  });

  it('goes a time after its subject went, or after its push where there never was one', async () => {
    const subject = Buffer.alloc(33, 7);
    expect(await verdictOn(await world.manifest({ age: '26 hours', subject }))).toBe('orphan 1');
    const old = await world.manifest({ age: LONG_AGO, subject });
    expect(await verdictOn(old)).toBe('gone');
    await world.reviewOf(old, '0', '24 hours');
    expect(await verdictOn(old)).toBe('orphan 1');
    expect(await verdictOn(old, { orphansMs: 0 })).toBe('gone');
    expect(await verdictOn(old, { untaggedMs: 'keep', orphansMs: 0 })).toBe('gone');
  });

  it('stays with a subject that is deleted, and is there when that is restored', async () => {
    const subject = await world.manifest({ age: LONG_AGO, deletedAge: '1 day' });
    expect(await verdictOn(await world.manifest({ age: LONG_AGO, subject: subject.digest }))).toBe('live');
  });

  it('without its subject lives by its own tag, and is held by the history of it', async () => {
    const subject = Buffer.alloc(33, 8);
    const tagged = await world.manifest({ age: LONG_AGO, subject });
    await world.tag(tagged);
    expect(await verdictOn(tagged)).toBe('live');
    const left = await world.manifest({ age: LONG_AGO, subject });
    await world.left(left, '3 days');
    expect(await verdictOn(left)).toBe('history 4');
  });

  it('keeps its subject by a claim of its own, or of a referrer of its own', async () => {
    for (const claim of [
      (referrer: RowKey) => world.tag(referrer),
      async (referrer: RowKey) => world.list(await world.manifest(), referrer),
      async (referrer: RowKey) => world.awaits(await world.manifest(), referrer.digest, 'manifest'),
    ]) {
      const subject = await world.manifest({ age: LONG_AGO });
      const referrer = await world.manifest({ age: LONG_AGO, subject: subject.digest });
      const second = await world.manifest({ age: LONG_AGO, subject: referrer.digest });
      expect(await verdictOn(subject)).toBe('gone');
      await claim(second);
      expect(await verdictOn(subject)).toBe('live');
    }
  });

  it('holds its subject by its history', async () => {
    const subject = await world.manifest({ age: LONG_AGO });
    await world.left(await world.manifest({ age: LONG_AGO, subject: subject.digest }), '3 days');
    expect(await verdictOn(subject)).toBe('history 4');
  });

  it('that is deleted keeps nothing', async () => {
    const subject = await world.manifest({ age: LONG_AGO });
    const referrer = await world.manifest({ age: LONG_AGO, deletedAge: '1 day', subject: subject.digest });
    await world.list(await world.manifest(), referrer);
    expect(await verdictOn(subject)).toBe('gone');
  });

  it('tells which subject it lives by where it has no other claim', async () => {
    const subject = await world.manifest({ age: LONG_AGO });
    const [plain, tagged] = [
      await world.manifest({ subject: subject.digest }),
      await world.manifest({ subject: subject.digest }),
    ];
    await world.tag(tagged);
    const verdicts = await judgeManifests(world.jobs, [plain.id, tagged.id], TERMS);
    expect(new Map(verdicts.map((one) => [one.id, one.subject_id]))).toEqual(
      new Map([
        [plain.id, subject.id],
        [tagged.id, null],
      ]),
    );
  });
});

describe('a deleted manifest', () => {
  it('is held until its undo is over, whatever else would keep it', async () => {
    const manifest = await world.manifest({ age: LONG_AGO, deletedAge: '4 days' });
    await world.left(manifest);
    await world.use(manifest, '0');
    expect(await verdictOn(manifest)).toBe('deleted 3');
    expect(await verdictOn(manifest, { undoMs: 0 })).toBe('gone');
  });

  it('stays as long as an index that was deleted too', async () => {
    const child = await world.manifest({ age: LONG_AGO, deletedAge: LONG_AGO });
    await world.list(await world.manifest({ age: LONG_AGO, deletedAge: LONG_AGO }), child);
    expect(await verdictOn(child)).toBe('live');
  });
});

describe('a manifest of a deleted repository', () => {
  it('is not decided on: it goes with all of it, or is restored with it', async () => {
    const repositoryId = await world.repository();
    const [plain, deleted] = [
      await world.manifest({ age: LONG_AGO, in: repositoryId }),
      await world.manifest({ age: LONG_AGO, deletedAge: LONG_AGO, in: repositoryId }),
    ];
    await world.owner.query('UPDATE repository SET deleted_at = now(), deleted_name = name WHERE id = $1', [
      repositoryId,
    ]);
    for (const manifest of [plain, deleted]) expect(await verdictOn(manifest)).toBe('repository 1');
  });
});
