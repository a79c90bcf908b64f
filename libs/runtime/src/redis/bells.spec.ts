import { hasRedis, startRedis } from '@entrepot/testkit/redis';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLogger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import { createBells, type Bells } from './bells.js';
import { parseRedisAddress, type RedisAddress } from './redis-address.js';
import { RedisLink } from './redis-link.js';

const POLL = { timeout: 20_000, interval: 25 };

/** Counts what is heard. */
function listenTo(bells: Bells, bell: Parameters<Bells['ring']>[0]) {
  const heard = { rings: 0, ignore: () => {} };
  heard.ignore = bells.onRing(bell, () => (heard.rings += 1));
  return heard;
}

async function bellsOf(url: string, prefix: string): Promise<Bells> {
  const address = parseRedisAddress(url) as RedisAddress;
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });
  const link = new RedisLink({ address, ca: undefined, prefix, logger, metrics: createMetrics() });
  await link.start();
  const bells = createBells(link);
  onTestFinished(async () => {
    bells.close();
    await link.close();
  });
  return bells;
}

describe('bells', () => {
  it('ring in their own process without a Redis, for whoever listens', async () => {
    const bells = createBells(undefined);
    const [one, other, third] = [
      listenTo(bells, 'access.changed'),
      listenTo(bells, 'access.changed'),
      listenTo(bells, 'storage.doomed'),
    ];
    await bells.ring('access.changed');
    other.ignore();
    await bells.ring('access.changed');
    expect([one.rings, other.rings, third.rings]).toEqual([2, 1, 0]);
  });

  describe.skipIf(!hasRedis())('over Redis', { timeout: 90_000 }, () => {
    it('ring once in the process that rang, and in the others of the same installation', async () => {
      const server = await startRedis();
      onTestFinished(() => server.remove());
      const [own, other, foreign] = [
        await bellsOf(server.url, 'one'),
        await bellsOf(server.url, 'one'),
        await bellsOf(server.url, 'two'),
      ];
      const heard = [own, other, foreign].map((bells) => listenTo(bells, 'storage.doomed'));
      const channels = () => server.command('PUBSUB', 'CHANNELS');
      await expect.poll(channels, POLL).toMatch(/one.*\n.*two|two.*\n.*one/);
      await expect.poll(() => server.command('PUBSUB', 'NUMSUB', '{one}:bells'), POLL).toMatch(/2$/);
      await own.ring('storage.doomed');
      await expect.poll(() => heard[1]?.rings, POLL).toBe(1);
      expect(heard.map(({ rings }) => rings)).toEqual([1, 1, 0]);
    });

    it('are heard again after Redis was away, and fail nobody meanwhile', async () => {
      const server = await startRedis();
      onTestFinished(() => server.remove());
      const [own, other] = [await bellsOf(server.url, 'one'), await bellsOf(server.url, 'one')];
      const heard = listenTo(other, 'access.changed');
      await server.kill();
      await own.ring('access.changed');
      await server.restart();
      await expect
        .poll(async () => {
          await own.ring('access.changed');
          return heard.rings;
        }, POLL)
        .toBeGreaterThan(0);
    });
  });
});
