import { RevocationList } from '@entrepot/access';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { PoolClient } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ContentWorld } from '../content/content-world.suite.js';
import { PostgresAccessChanges, PostgresAccessReader, migrate } from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let world: ContentWorld;

beforeEach(async () => {
  world = new ContentWorld(database.url);
  await world.open();
});
afterEach(() => world.close());

const withdraw = (client: PoolClient) =>
  client.query('UPDATE account SET access_version = access_version + 1, access_changed_at = now() WHERE id = $1', [
    world.actor.id,
  ]);

const versionInToken = async () => {
  const facts = await new PostgresAccessReader(world.pool).loadAccess(world.actor.id, []);
  return facts?.subject.kind === 'account' ? facts.subject.accessVersion : Number.NaN;
};

const isRefused = async (version: number) => {
  const revocations = new RevocationList(new PostgresAccessChanges(world.pool));
  await revocations.refresh();
  return !revocations.isAccountCurrent(world.actor.id, version);
};

describe('a token, and the withdrawal of rights from its account', () => {
  it('made before the withdrawal commits, is of the past as soon as it does', async () => {
    const withdrawal = await world.holdSql(withdraw);
    const version = await versionInToken();
    expect(await isRefused(version)).toBe(false);
    await withdrawal.commit();
    expect(await isRefused(version)).toBe(true);
  });

  it('made after it, says what is left and is good', async () => {
    await (await world.holdSql(withdraw)).commit();
    expect(await isRefused(await versionInToken())).toBe(false);
  });
});
