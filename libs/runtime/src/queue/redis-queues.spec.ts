import { hasRedis, startRedis, type RedisServer } from '@entrepot/testkit/redis';
import { startClusterRedis } from '@entrepot/testkit/redis-topologies';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { parseRedisAddress, type RedisAddress } from '../redis/redis-address.js';
import { RedisLink } from '../redis/redis-link.js';
import { createQueues, type Queues } from './create-queues.js';
import { queuesSuite } from './queues.suite.js';

const POLL = { timeout: 25_000, interval: 50 };

async function linkTo(url: string): Promise<RedisLink> {
  const address = parseRedisAddress(url) as RedisAddress;
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
  const link = new RedisLink({ address, ca: undefined, prefix: 'spec', logger, metrics: createMetrics() });
  await link.start();
  return link;
}

async function openQueues(redis: RedisLink, service: string, lines: string[] = []): Promise<Queues> {
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'warn', format: 'json' }, { service, destination });
  // The Postgres of a service whose queues live in Redis is not asked.
  const queues = await createQueues({ service, logger, redis, connectionString: 'postgres://nowhere.invalid/none' });
  onTestFinished(() => queues.close());
  return queues;
}

/** A server and queues of a service on it, whose task counts its runs. */
async function startCounting(intervalMs: number) {
  const server = await startRedis();
  onTestFinished(() => server.remove());
  const link = await linkTo(server.url);
  onTestFinished(() => link.close());
  const lines: string[] = [];
  const queues = await openQueues(link, 'counting', lines);
  let runs = 0;
  queues.everyInterval('look', intervalMs, async () => (runs += 1));
  const untilRuns = (more: number) => {
    const wanted = runs + more;
    return expect.poll(() => runs, POLL).toBeGreaterThanOrEqual(wanted);
  };
  return { server, link, queues, lines, untilRuns };
}

describe.skipIf(!hasRedis())('queues in Redis', { timeout: 90_000 }, () => {
  let server: RedisServer;
  let link: RedisLink;
  beforeAll(async () => {
    server = await startRedis();
    link = await linkTo(server.url);
  });
  afterAll(async () => {
    await link.close();
    await server.remove();
  });

  queuesSuite((service, lines) => openQueues(link, service, lines));

  it('live in a Cluster as well', async () => {
    const cluster = await startClusterRedis();
    onTestFinished(() => cluster.remove());
    const clusterLink = await linkTo(cluster.url);
    onTestFinished(() => clusterLink.close());
    const queues = await openQueues(clusterLink, 'clustered');
    let runs = 0;
    queues.everyInterval('look', 100, async () => (runs += 1));
    await expect.poll(() => runs, POLL).toBeGreaterThan(2);
  });

  it('have their schedules again after everything was flushed (FT-30)', async () => {
    const { server, untilRuns } = await startCounting(200);
    await untilRuns(2);
    await server.command('FLUSHALL');
    await untilRuns(3);
    expect(await server.command('EXISTS', '{spec}:counting:repeat')).toBe('1');
  });

  it('go on after Redis was rolled back to an old snapshot (FT-30)', async () => {
    const { server, link, untilRuns } = await startCounting(200);
    await untilRuns(1);
    await server.command('SAVE');
    await untilRuns(3);
    await server.kill();
    await expect.poll(() => link.isReady, POLL).toBe(false);
    await server.restart();
    expect(await server.command('EXISTS', '{spec}:counting:repeat')).toBe('1');
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await untilRuns(3);
  });

  it('go on by the clock while Redis is gone, and in Redis when it is back (FT-30)', async () => {
    const { server, untilRuns, lines } = await startCounting(200);
    await untilRuns(2);
    await server.kill();
    await untilRuns(3);
    await server.restart();
    await untilRuns(3);
    await expect.poll(() => server.command('EXISTS', '{spec}:counting:repeat'), POLL).toBe('1');
    expect(lines.length).toBeLessThan(5);
  });

  it('go on by the clock while Redis hangs, and in Redis when it answers again (FT-44)', async () => {
    const { server, link, untilRuns, lines } = await startCounting(200);
    await untilRuns(2);
    server.hang();
    await expect.poll(() => link.isReady, POLL).toBe(false);
    await untilRuns(3);
    server.resume();
    await expect.poll(() => link.isReady, POLL).toBe(true);
    await server.command('FLUSHALL');
    await untilRuns(3);
    await expect.poll(() => server.command('EXISTS', '{spec}:counting:repeat'), POLL).toBe('1');
    expect(lines.length).toBeLessThan(5);
  });

  it('begin and end while Redis is gone', async () => {
    const { server, link, queues } = await startCounting(100);
    await server.kill();
    await expect.poll(() => link.isReady, POLL).toBe(false);
    const others = await openQueues(link, 'without');
    let runs = 0;
    others.everyInterval('look', 100, async () => (runs += 1));
    await expect.poll(() => runs, POLL).toBeGreaterThan(2);
    await Promise.all([queues.close(), others.close()]);
  });

  it('leave no connection behind, which would keep the process alive', async () => {
    const { server, link, queues, untilRuns } = await startCounting(100);
    const names = async () => (await server.command('CLIENT', 'LIST')).match(/(?<= name=)\S+/g);
    await untilRuns(1);
    for (const restart of [1, 2]) {
      await server.kill();
      await expect.poll(() => link.isReady, POLL).toBe(false);
      if (restart === 2) await queues.close();
      await server.restart();
      await expect.poll(() => link.isReady, POLL).toBe(true);
    }
    await expect.poll(names, POLL).toEqual(['entrepot-commands']);
    await new Promise((resolve) => setTimeout(resolve, 3_000));
    expect(await names()).toEqual(['entrepot-commands']);
  });
});
