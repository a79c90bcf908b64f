import { deleteManifest } from '@entrepot/content';
import { parseTag } from '@entrepot/oci';
import { hasPgBouncer, startPgBouncer, type PgBouncer } from '@entrepot/testkit/pgbouncer';
import { hasStreamingPair, startStreamingPair, type StreamingPair } from '@entrepot/testkit/streaming-pair';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ContentWorld, imageOf } from '../content/content-world.suite.js';
import { DatabaseUnavailable, PostgresAccessDirectory, detectPooler, migrate, withDataSource } from '../index.js';
import { queryRows } from './unit-of-work.js';

const SERVER_CONNECTIONS = 2;
const CLIENTS = 12;
const ROUNDS = 8;

describe.skipIf(!hasPgBouncer() || !hasStreamingPair())('a pooler that lends connections for transactions', () => {
  let pair: StreamingPair;
  let pooler: PgBouncer;
  let world: ContentWorld;

  beforeAll(async () => {
    pair = await startStreamingPair();
    pooler = await startPgBouncer(pair.primaryUrl, { serverConnections: SERVER_CONNECTIONS });
    await Promise.all([migrate(pooler.url), migrate(pooler.url)]);
    const way = await detectPooler(pooler.url);
    world = new ContentWorld(pair.primaryUrl, { url: pooler.url, pooler: way, poolSize: CLIENTS });
    await world.open();
  });
  afterAll(async () => {
    await world.close();
    await pooler.remove();
    await pair.remove();
  });

  it('is known for what it is, whether it refuses or drops what a session asks for', async () => {
    const silent = await startPgBouncer(pair.primaryUrl, { serverConnections: 1, ignores: 'options' });
    expect(await detectPooler(silent.url)).toBe('transaction');
    expect(await detectPooler(pooler.url)).toBe('transaction');
    expect(await detectPooler(pair.primaryUrl)).toBe('none');
    await silent.remove();
    await expect(detectPooler(silent.url)).rejects.toThrow(DatabaseUnavailable);
  });

  it('carries the commands of administration', async () => {
    const settings = {
      url: pooler.url,
      role: 'owner',
      poolSize: 2,
      statementTimeoutMs: 5_000,
      lockTimeoutMs: 5_000,
    } as const;
    const accounts = await withDataSource(settings, (source) =>
      new PostgresAccessDirectory(source).accounts({ limit: 10 }),
    );
    expect(accounts.map(({ name }) => name)).toEqual([world.actor.name]);
  });

  it('carries pushes, pulls and removals of more clients than it has connections', async () => {
    const config = await world.pushBlob('{}');
    const client = async (place: number): Promise<void> => {
      for (let round = 0; round < ROUNDS; round += 1) {
        const layer = `${place} ${round}`;
        const image = imageOf([
          [config, 2],
          [await world.pushBlob(layer), layer.length],
        ]);
        await world.put(image, [`c${place}`]);
        const found = await world.reader.manifestByTag(world.repositoryId, parseTag(`c${place}`));
        expect(found?.digest).toBe(image.digest);
        if (round % 2 === 1) await deleteManifest(world.work, world.removal, image.digest);
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, (_, place) => client(place)));
    const { rows } = await world.owner.query<{ n: number }>(
      `SELECT count(*)::int AS n FROM pg_stat_activity WHERE application_name = 'entrepot-registry'`,
    );
    expect(rows[0]?.n).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });

  it('leaves each statement the role and the timeouts of its service', async () => {
    const text = `SELECT current_user, current_setting('statement_timeout') AS statement, current_setting('lock_timeout') AS lock`;
    const asked = Array.from({ length: 20 }, () => queryRows(world.pool, { name: 'who', text }));
    for (const rows of await Promise.all(asked)) {
      expect(rows).toEqual([{ current_user: 'entrepot_registry', statement: '10s', lock: '5s' }]);
    }
    await expect(queryRows(world.pool, { text: 'SELECT sealed_private FROM signing_key' })).rejects.toThrow(
      /permission/,
    );
  });
});
