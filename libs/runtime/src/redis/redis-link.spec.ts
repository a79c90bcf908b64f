import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { hasRedis, startRedis, type RedisOptions } from '@entrepot/testkit/redis';
import { startClusterRedis, startSentinelRedis } from '@entrepot/testkit/redis-topologies';
import { describe, expect, it, onTestFinished } from 'vitest';
import { makeSelfSigned } from '../http/self-signed.suite.js';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { createBells } from './bells.js';
import { parseRedisAddress } from './redis-address.js';
import { openRedisLink } from './open-redis-link.js';
import { RedisAway, type RedisLink } from './redis-link.js';

const POLL = { timeout: 20_000, interval: 25 };

async function serve(options?: RedisOptions) {
  const server = await startRedis(options);
  onTestFinished(() => server.remove());
  return server;
}

async function open(text: string, more: { ca?: string; lines?: string[] } = {}) {
  const url = parseRedisAddress(text);
  if (typeof url === 'string') throw new Error(url);
  const destination = { write: (line: string) => void more.lines?.push(line) };
  const logger = createLogger({ level: 'info', format: 'json' }, { service: 'test', destination });
  const metrics = createMetrics();
  const link = await openRedisLink({ url, ca: more.ca, prefix: 'spec' }, { logger, metrics });
  if (link === undefined) throw new Error('no link');
  onTestFinished(() => link.close());
  return { link, metrics };
}

/** A value goes in and comes out again, and a bell that is rung over another connection is heard. */
async function isOfUse(link: RedisLink): Promise<void> {
  const key = link.key('value');
  expect(await link.run('spec', (client) => client.set(key, 'kept'))).toBe('OK');
  expect(await link.run('spec', (client) => client.get(key))).toBe('kept');
  const [heard, rung] = [createBells(link), createBells(link)];
  onTestFinished(() => [heard, rung].forEach((bells) => bells.close()));
  let rings = 0;
  heard.onRing('access.changed', () => (rings += 1));
  await expect
    .poll(async () => {
      await rung.ring('access.changed');
      return rings;
    }, POLL)
    .toBeGreaterThan(0);
}

describe.skipIf(!hasRedis())('a link to Redis', { timeout: 90_000 }, () => {
  it('uses one server, with a password and a database', async () => {
    const server = await serve({ password: 'p@ss:word/%' });
    const url = `redis://:${encodeURIComponent('p@ss:word/%')}@127.0.0.1:${server.port}/3`;
    const { link, metrics } = await open(url);
    await isOfUse(link);
    expect(await server.command('-n', '3', 'GET', '{spec}:value')).toBe('kept');
    expect(await metrics.render()).toContain('redis_up 1\n');
  });

  it('uses TLS, and trusts only the certificates it was given', async () => {
    const { certificate, key } = makeSelfSigned('localhost');
    const directory = await mkdtemp(join(tmpdir(), 'entrepot-redis-ca-'));
    onTestFinished(() => rm(directory, { recursive: true }));
    const ca = join(directory, 'ca.pem');
    await writeFile(ca, certificate);
    const server = await serve({ tls: { certificate, key } });
    await isOfUse((await open(server.url, { ca })).link);
    const { link } = await open(server.url);
    await expect(link.check()).rejects.toThrow(/self-signed/);
  });

  it('follows Sentinels to the server that replaced a killed one', async () => {
    const redis = await startSentinelRedis();
    onTestFinished(() => redis.remove());
    const { link } = await open(redis.url);
    await isOfUse(link);
    await redis.servers[0]?.kill();
    await expect.poll(() => link.isReady, POLL).toBe(false);
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await isOfUse(link);
    expect(await redis.servers[1]?.command('GET', '{spec}:value')).toBe('kept');
  });

  it('uses a Cluster of which it was told one node, also after all of it was down', async () => {
    const redis = await startClusterRedis();
    onTestFinished(() => redis.remove());
    const [first] = redis.url.split(',');
    const { link } = await open(`${first}`);
    await isOfUse(link);
    await Promise.all(redis.servers.map((server) => server.kill()));
    await expect.poll(() => link.isReady, POLL).toBe(false);
    await Promise.all(redis.servers.map((server) => server.restart()));
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await isOfUse(link);
  });

  it('starts while there is none, says so once, and is of use when it comes', async () => {
    const server = await serve();
    await server.kill();
    const lines: string[] = [];
    const { link, metrics } = await open(server.url, { lines });
    expect(link.isReady).toBe(false);
    await expect(link.run('spec', (client) => client.get('key'))).rejects.toThrow(RedisAway);
    await expect(link.check()).rejects.toThrow('ECONNREFUSED');
    expect(await metrics.render()).toMatch(/redis_up 0\n[^]*redis_failures_total\{use="spec"\} 1\n/);
    await server.restart();
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await isOfUse(link);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'Redis is away; going on without it',
      'Redis is ready',
    ]);
  });

  it('notices one that hangs, asks it nothing meanwhile, and goes on when it answers again', async () => {
    const server = await serve();
    const { link } = await open(server.url);
    await isOfUse(link);
    server.hang();
    await expect(link.run('spec', (client) => client.get('key'))).rejects.toThrow('no answer within 250 ms');
    // Nobody else waits.
    await expect(link.run('spec', (client) => client.get('key'))).rejects.toThrow(RedisAway);
    await expect.poll(() => link.isReady, POLL).toBe(false);
    server.resume();
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await isOfUse(link);
  });

  it('is away while the server takes no writes', async () => {
    const server = await serve();
    const { link } = await open(server.url);
    await server.command('CONFIG', 'SET', 'maxmemory', '1');
    await expect.poll(() => link.isReady, POLL).toBe(false);
    await expect(link.check()).rejects.toThrow('OOM');
    await server.command('CONFIG', 'SET', 'maxmemory', '0');
    await expect.poll(() => link.isReady, POLL).toBe(true);
  });

  it('refuses to start on one that may drop keys (FT-32)', async () => {
    const server = await serve({ settings: { 'maxmemory-policy': 'allkeys-lru' } });
    await expect(open(server.url)).rejects.toThrow(/ENTREPOT_REDIS_URL: .*allkeys-lru.*noeviction/);
  });

  it('does not use one that may drop keys where it came later', async () => {
    const server = await serve();
    const { link } = await open(server.url);
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'volatile-ttl');
    await server.command('CLIENT', 'KILL', 'TYPE', 'normal');
    await expect.poll(() => link.check().catch((error: Error) => error.message), POLL).toContain('volatile-ttl');
    await server.command('CONFIG', 'SET', 'maxmemory-policy', 'noeviction');
    await expect.poll(() => link.isReady, POLL).toBe(true);
  });
});
