import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entrepot } from '@entrepot/testkit/entrepot';
import { hasRedis, startRedis, type RedisServer } from '@entrepot/testkit/redis';
import { openRegistry } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { startPushers } from '../world/pushers.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { filesBelow } from '../world/stores.js';
import { connect } from '../world/target.js';
import { askForToken, hasItsRedis, healthOf, logLines } from './ask.js';

const PUSHING_MS = 1_000;
const POLL = { timeout: 60_000, interval: 100 };
const FAILURE_LIMIT = 3;

describe.skipIf(!hasRedis())('two registries, an issuer and a jobrunner that share a Redis', () => {
  let redis: RedisServer;
  let replicas: Replicas;
  let registries: readonly [Entrepot, Entrepot];
  let jobrunner: Entrepot;

  beforeAll(async () => {
    redis = await startRedis();
    replicas = await startReplicas({
      settings: {
        ENTREPOT_REDIS_URL: redis.url,
        ENTREPOT_LOGIN_ACCOUNT_FAILURES: `${FAILURE_LIMIT}`,
        ENTREPOT_GC_INTERVAL: '1h',
      },
    });
    registries = [await replicas.start(), await replicas.start()];
    jobrunner = await replicas.startJobrunner();
  });
  afterAll(async () => {
    await replicas.remove();
    await redis.remove();
  });

  const untilRedisIs = async (isOk: boolean, processes: readonly Entrepot[] = [...registries, jobrunner]) => {
    for (const process of processes) await expect.poll(() => hasItsRedis(process), POLL).toBe(isOk);
  };
  const createUser = async (name: string): Promise<string> => {
    const password = randomBytes(12).toString('hex');
    await registries[0].run(['user', 'create', name, '--password-stdin'], password);
    return password;
  };
  const objects = () => filesBelow(join(replicas.directory, 'storage'));
  /** Leaves an object that nothing needs. */
  const cancelUpload = async (registry: Entrepot): Promise<void> => {
    const client = connect(replicas.target(registry));
    const path = '/v2/admin/cancelled/blobs/uploads/';
    const opened = await client.send({ method: 'POST', path, headers: { 'Content-Length': 0 } });
    const body = randomBytes(1_000);
    const patched = await client.send({ method: 'PATCH', path: opened.headers.location ?? '', body });
    const cancelled = await client.send({ method: 'DELETE', path: patched.headers.location ?? '' });
    expect(cancelled.status).toBe(204);
    client.close();
  };
  const cancelAndLook = async (registry: Entrepot): Promise<string[]> => {
    await cancelUpload(registry);
    await delay(1000);
    return objects();
  };

  const logIn = (name: string, password: string) => askForToken(replicas.target(registries[0]), { name, password });
  /** Disables a new user who holds tokens; resolves with the ms from that change until each registry refused them. */
  const withdraw = async (name: string): Promise<readonly number[]> => {
    const account = { name, password: await createUser(name) };
    const { tokenUrl } = replicas.target(registries[0]);
    const clients = registries.map(({ url }) => openRegistry(url, account, tokenUrl));
    const probe = (client: (typeof clients)[number]) =>
      client.send({ method: 'GET', path: `/v2/${name}/app/tags/list` });
    for (const client of clients) expect((await probe(client)).status).not.toBe(401);
    const ended = clients.map(async (client) => {
      while ((await probe(client)).status !== 401) await delay(2);
      client.close();
      return Date.now();
    });
    await registries[0].run(['user', 'disable', name]);
    const times = await Promise.all(ended);
    const [row] = await replicas.query<{ ms: string }>(
      `SELECT extract(epoch FROM access_changed_at) * 1000 AS ms FROM account JOIN namespace USING (id) WHERE name = $1`,
      [name],
    );
    return times.map((atMs) => Math.round(atMs - Number(row?.ms)));
  };

  it('count failed logins together, and anew without it: no login fails by that (FT-30)', async () => {
    const password = await createUser('alice');
    for (let failure = 0; failure < FAILURE_LIMIT; failure += 1) expect(await logIn('alice', 'wrong')).toBe(401);
    expect(await logIn('alice', password)).toBe(429);
    await redis.kill();
    await expect.poll(() => logIn('alice', password), POLL).toBe(200);
    for (let failure = 0; failure < FAILURE_LIMIT; failure += 1) expect(await logIn('alice', 'wrong')).toBe(401);
    expect(await logIn('alice', password)).toBe(429);
    await redis.restart();
    await expect.poll(() => logIn('alice', password), POLL).toBe(200);
    expect(await redis.command('KEYS', '*alice*')).toBe('');
  });

  it('remove the bytes of a cancelled upload long before the next look is due', async () => {
    await untilRedisIs(true);
    // A bell that rings while Redis is slow is not heard, and promises nothing: the next one is.
    await expect.poll(() => cancelAndLook(registries[1]), POLL).toEqual([]);
  });

  it('go on pushing, and lose nothing, while it is flushed, killed, hangs and fills up (FT-30, FT-44, FT-54)', async () => {
    const journal = new Journal();
    const pushers = registries.map((registry) => startPushers(replicas.target(registry), journal));
    await delay(PUSHING_MS);
    await redis.command('FLUSHALL');
    await delay(PUSHING_MS);
    await redis.kill();
    await untilRedisIs(false);
    await delay(PUSHING_MS);
    await redis.restart();
    await untilRedisIs(true);
    redis.hang();
    await untilRedisIs(false);
    await delay(PUSHING_MS);
    redis.resume();
    await untilRedisIs(true);
    await redis.command('CONFIG', 'SET', 'maxmemory', '1');
    await untilRedisIs(false);
    await redis.command('CONFIG', 'SET', 'maxmemory', '0');
    await untilRedisIs(true);
    for (const each of pushers) await each.stop();
    console.log(journal.summary());
    expect(journal.surprises).toEqual([]);
    expect(journal.unavailableCount).toBe(0);
    expect(journal.manifests.length).toBeGreaterThan(0);
    // Two groups of pushers under the same tags: content is held to, tags are not.
    journal.tags.clear();
    expect(await checkJournal(replicas.target(registries[1]), journal)).toEqual([]);
  });

  it('start while it is gone, say so once, and take it up when it comes', async () => {
    await redis.kill();
    const late = await replicas.start();
    const { status, body } = await healthOf(late);
    expect([status, body.ok, body.degraded]).toEqual([200, true, true]);
    const journal = new Journal();
    const pushers = startPushers(replicas.target(late), journal);
    await delay(PUSHING_MS);
    await pushers.stop();
    expect(journal.manifests.length).toBeGreaterThan(0);
    expect(await checkJournal(replicas.target(late), journal)).toEqual([]);
    await delay(PUSHING_MS);
    expect(logLines(late, 'Redis')).toHaveLength(1);
    await redis.restart();
    await untilRedisIs(true, [late]);
    expect(await late.stop()).toBe(0);
  });

  it('remove doomed objects without it, too: by the clock of each jobrunner (FT-30)', async () => {
    const eager = await replicas.startJobrunner({ ENTREPOT_GC_INTERVAL: '500ms' });
    await redis.kill();
    await untilRedisIs(false, [eager]);
    await cancelUpload(registries[0]);
    await expect.poll(() => replicas.query('SELECT object_key FROM doomed_object'), POLL).toEqual([]);
    expect(await eager.stop()).toBe(0);
    await redis.restart();
    await untilRedisIs(true);
  });

  it('withdraw rights with it and without it, and take no word of it for anything (FT-31)', async () => {
    await untilRedisIs(true);
    await redis.command('PUBLISH', '{entrepot}:bells', 'nobody access.changed');
    await redis.command('PUBLISH', '{entrepot}:bells', randomBytes(64).toString('base64'));
    const told = await withdraw('bob');
    await redis.kill();
    await untilRedisIs(false);
    const untold = await withdraw('carol');
    await redis.restart();
    console.log(`ms from the change to the refusal, told: ${told.join(' ')}; not told: ${untold.join(' ')}`);
    expect([...told, ...untold]).not.toContain(Number.NaN);
  });

  it('do not start on one that drops keys (FT-32)', async () => {
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'allkeys-lru');
    await expect(replicas.start()).rejects.toThrow(/ended with 78[^]*ENTREPOT_REDIS_URL: .*allkeys-lru/);
    await redis.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
  });

  it('were never at a loss for it: nothing is logged as an error, and little at all', () => {
    for (const process of [...registries, jobrunner]) {
      expect(process.processes()).toContain(process.pid);
      expect(logLines(process, '"level":"error"')).toEqual([]);
      expect(logLines(process, 'Redis').length).toBeLessThan(20);
    }
  });
});
