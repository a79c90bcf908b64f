import { foldManifestUses } from '@entrepot/content';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresUsage, createPool, migrate } from '../index.js';
import { ContentWorld, imageOf } from '../content/content-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;
let pool: Pool;

beforeAll(async () => {
  world = new ContentWorld(database.url);
  await world.open();
  const timeouts = { statementTimeoutMs: 30_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: database.url, role: 'jobrunner', poolSize: 4, ...timeouts });
});
afterAll(() => Promise.all([world.close(), pool.end()]));

const mark = (manifestId: string, usedAt: string) =>
  world.owner.query('INSERT INTO manifest_use_mark (manifest_id, used_at) VALUES ($1, $2)', [manifestId, usedAt]);

describe('marks of manifests that were pulled', () => {
  it('are folded to the latest of each, by however many fold, and those of removed ones are dropped', async () => {
    for (const nonce of ['a', 'b']) await world.put(imageOf([[await world.pushBlob(nonce), 1]]));
    const { rows: manifests } = await world.owner.query<{ id: string }>('SELECT id FROM manifest ORDER BY id');
    const [first = '', second = ''] = manifests.map(({ id }) => id);
    for (let minute = 10; minute < 60; minute += 1) await mark(first, `2026-01-01 00:${minute}Z`);
    await mark(second, '2026-01-02 00:00Z');
    await mark('999999', '2026-01-03 00:00Z');
    const usage = new PostgresUsage(pool);
    const folded = await Promise.all([foldManifestUses(usage), foldManifestUses(usage), foldManifestUses(usage)]);
    expect(folded.reduce((sum, each) => sum + each, 0)).toBe(52);
    await mark(first, '2025-12-31 00:00Z');
    expect(await foldManifestUses(usage)).toBe(1);
    const { rows } = await world.owner.query('SELECT manifest_id, used_at FROM manifest_use ORDER BY manifest_id');
    expect(rows).toEqual([
      { manifest_id: first, used_at: new Date('2026-01-01T00:59:00Z') },
      { manifest_id: second, used_at: new Date('2026-01-02T00:00:00Z') },
    ]);
  });
});
