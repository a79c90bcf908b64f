import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PostgresManifestUses, createPool, migrate } from '../index.js';
import { ReviewWorld } from './review-world.suite.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const registry = () =>
  createPool({ url: database.url, role: 'registry', poolSize: 1, statementTimeoutMs: 5000, lockTimeoutMs: 5000 });

describe('marks of use in Postgres', () => {
  let world: ReviewWorld;
  beforeAll(async () => {
    world = new ReviewWorld(database.url);
    await world.open();
  });
  afterAll(() => world.close());

  it('are appended by the data plane, and tell the shortest rule', async () => {
    const pool = registry();
    const uses = new PostgresManifestUses(pool);
    expect(await uses.mark(['1', '2'])).toBeUndefined();
    const other = new ReviewWorld(database.url);
    await other.open();
    const rule = (namespaceId: string, untagged: string) =>
      world.owner.query('UPDATE namespace SET untagged = $1 WHERE id = $2', [untagged, namespaceId]);
    await rule(world.namespaceId, 'keep');
    expect(await uses.mark([])).toBeUndefined();
    await rule(other.namespaceId, '2h');
    expect(await uses.mark(['1'])).toBe(7_200_000);
    const { rows } = await world.owner.query('SELECT manifest_id FROM manifest_use_mark ORDER BY manifest_id, used_at');
    expect(rows.map((row: { manifest_id: string }) => row.manifest_id)).toEqual(['1', '1', '2']);
    await Promise.all([pool.end(), other.close()]);
  });
});
