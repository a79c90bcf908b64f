import { setTimeout as delay } from 'node:timers/promises';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { hasPgBouncer, startPgBouncer, type PgBouncer } from '@entrepot/testkit/pgbouncer';
import { hasStreamingPair, startStreamingPair, type StreamingPair } from '@entrepot/testkit/streaming-pair';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { startPushers } from '../world/pushers.js';
import { startReplicas, type Replicas } from '../world/replicas.js';

const SERVER_CONNECTIONS = 4;
const PUSHING_MS = 2_000;

describe.skipIf(!hasPgBouncer() || !hasStreamingPair())('registries behind PgBouncer, with a read replica', () => {
  let pair: StreamingPair;
  let pooler: PgBouncer;
  let replicas: Replicas;
  let registries: readonly Entrepot[];

  beforeAll(async () => {
    pair = await startStreamingPair();
    pooler = await startPgBouncer(pair.primaryUrl, { serverConnections: SERVER_CONNECTIONS });
    const settings = {
      ENTREPOT_DATABASE_URL: pooler.url,
      ENTREPOT_DATABASE_DIRECT_URL: pair.primaryUrl,
      ENTREPOT_DATABASE_READ_URL: pair.replicaUrl,
      ENTREPOT_DATABASE_MAX_REPLICA_LAG: '2s',
    };
    replicas = await startReplicas({ databaseUrl: pair.primaryUrl, settings });
    registries = [await replicas.start(), await replicas.start()];
  });
  afterAll(async () => {
    await replicas.remove();
    await pooler.remove();
    await pair.remove();
  });

  it('take pushes and keep what they acknowledged, with and without the replica', async () => {
    const targets = registries.map((registry) => replicas.target(registry));
    await until(() => registries.every((registry) => registry.output().includes('is fresh')), 'fresh replicas');
    const journals = targets.map(() => new Journal());
    const pushers = targets.map((target, place) => startPushers(target, journals[place] ?? new Journal()));
    await delay(PUSHING_MS);
    await pair.stopReplica();
    await delay(PUSHING_MS);
    await pair.startReplica();
    await Promise.all(pushers.map((each) => each.stop()));

    for (const [place, journal] of journals.entries()) {
      console.log(journal.summary());
      expect(journal.unavailableCount).toBe(0);
      // Both pushed under the same tags of the shared repository.
      journal.tags.clear();
      expect(await checkJournal(targets[1 - place] ?? replicas.target(registries[0] as Entrepot), journal)).toEqual([]);
    }
    const [connections] = await replicas.query<{ pooled: number }>(
      `SELECT count(*)::int AS pooled FROM pg_stat_activity WHERE datname = 'entrepot' AND usename = 'entrepot'
         AND application_name IN ('entrepot-registry', 'entrepot-auth') AND client_port IS NOT NULL AND query <> ''
         AND query NOT LIKE 'SELECT pg_advisory_lock%'`,
    );
    expect(connections?.pooled).toBeLessThanOrEqual(SERVER_CONNECTIONS);
  });
});
