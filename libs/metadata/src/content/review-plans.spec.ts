import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrate } from '../index.js';
import { AT_ONCE } from './collect-all.suite.js';
import { ReviewWorld } from './review-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const DAY_MS = 86_400_000;
const TERMS = { graceMs: DAY_MS, undoMs: 7 * DAY_MS, untaggedMs: 30 * DAY_MS, orphansMs: DAY_MS };
const ROWS = 20_000;
/** Tables that grow with what is stored, or with what waits. */
const LARGE = [
  'blob',
  'repository_blob',
  'manifest',
  'manifest_blob',
  'manifest_review',
  'link_review',
  'tag',
  'tag_history',
] as const;

/** A registry that is in use: everything is referenced, and as much waits for its time. */
const FILLING = `
  INSERT INTO blob (digest, size_bytes, object_key)
  SELECT '\\x01'::bytea || sha256(n::text::bytea), 1, n::text FROM generate_series(1, ${ROWS}) AS n;
  INSERT INTO repository_blob (repository_id, digest) SELECT $1, digest FROM blob;
  INSERT INTO link_review (repository_id, digest, reason, due_at)
  SELECT $1, digest, 'uploaded', now() + interval '1 day' FROM blob;
  INSERT INTO manifest (repository_id, digest, media_type, payload)
  SELECT $1, digest, 'application/x-test', '{}' FROM blob;
  INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
  SELECT m.id, $1, m.digest, 1 FROM manifest m;
  INSERT INTO tag (repository_id, name, manifest_id) SELECT $1, 'v' || id, id FROM manifest;
  INSERT INTO tag_history (repository_id, name, digest, previous_digest, changed_at)
  SELECT $1, 'v1', digest, digest, now() - interval '30 days' FROM manifest;
  INSERT INTO manifest_review (manifest_id, reason, due_at) SELECT id, 'pushed', now() + interval '1 day' FROM manifest;
  ANALYZE`;

let world: ReviewWorld;
beforeAll(async () => {
  world = new ReviewWorld(database.url);
  await world.open();
  await world.owner.query(FILLING.replaceAll('$1', `'${world.repositoryId}'::uuid`));
});
afterAll(() => world.close());

/** Scans of whole tables so far, by table; sessions tell theirs when they are asked to. */
async function scans(): Promise<Record<string, number>> {
  await world.jobs.query('SELECT pg_stat_force_next_flush()');
  const { rows } = await world.owner.query<{ relname: string; seq_scan: string }>(
    'SELECT relname, seq_scan FROM pg_stat_user_tables WHERE relname = ANY ($1)',
    [LARGE],
  );
  return Object.fromEntries(rows.map((row) => [row.relname, Number(row.seq_scan)]));
}

describe('a review over a full registry', () => {
  it('scans no table where nothing is due', async () => {
    await world.collect(TERMS);
    const before = await scans();
    expect(Object.keys(before)).toHaveLength(LARGE.length);
    expect(await world.collect(TERMS)).toMatchObject({ manifestsReviewed: 0, linksReviewed: 0, blobsReviewed: 0 });
    expect(await scans()).toEqual(before);
  });

  it('scans none for what is due', async () => {
    const due = async (count: number) => {
      await world.owner.query(`
        UPDATE manifest_review SET due_at = now() WHERE manifest_id IN (SELECT id FROM manifest ORDER BY id LIMIT ${count});
        UPDATE link_review SET due_at = now() WHERE digest IN (SELECT digest FROM manifest ORDER BY id LIMIT ${count});
        DELETE FROM tag WHERE manifest_id IN (SELECT id FROM manifest ORDER BY id LIMIT ${count / 2})`);
    };
    // A change of settings looks once at what waits by the former ones.
    await world.collect(AT_ONCE);
    await due(200);
    const before = await scans();
    const tally = await world.collect(AT_ONCE);
    expect(tally).toMatchObject({
      manifestsReviewed: 200,
      manifestsRemoved: 100,
      linksRemoved: 100,
      blobsRemoved: 100,
    });
    expect(await scans()).toEqual(before);
  });
});
