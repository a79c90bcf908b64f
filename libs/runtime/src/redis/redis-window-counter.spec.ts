import { attemptCounterSuite } from '@entrepot/access/ports/attempt-counter.suite';
import { hasRedis, startRedis, type RedisServer } from '@entrepot/testkit/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { parseRedisAddress, type RedisAddress } from './redis-address.js';
import { RedisAway, RedisLink } from './redis-link.js';
import { RedisWindowCounter } from './redis-window-counter.js';

describe.skipIf(!hasRedis())('RedisWindowCounter', () => {
  let server: RedisServer;
  let link: RedisLink;
  beforeAll(async () => {
    server = await startRedis();
    const address = parseRedisAddress(server.url) as RedisAddress;
    const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
    link = new RedisLink({ address, ca: undefined, prefix: 'spec', logger, metrics: createMetrics() });
    await link.start();
  });
  afterAll(async () => {
    await link.close();
    await server.remove();
  });
  const counter = (windowMs: number) => new RedisWindowCounter(link, { name: 'failures', windowMs });

  attemptCounterSuite(counter);

  it('takes nothing for a count that is none, and none that would never end (FT-31)', async () => {
    await server.command('SET', '{spec}:failures:60000:word', 'many');
    await server.command('SET', '{spec}:failures:60000:endless', '99');
    for (const key of ['word', 'endless']) {
      await expect(counter(60_000).peek(key)).rejects.toThrow(RedisAway);
      await expect(counter(60_000).add(key)).rejects.toThrow(RedisAway);
      expect(await counter(60_000).peek('other')).toEqual({ count: 0, resetsInMs: 0 });
    }
  });

  it('starts again where everything was flushed', async () => {
    await counter(60_000).add('someone');
    await server.command('FLUSHALL');
    expect((await counter(60_000).add('someone')).count).toBe(1);
  });
});
