import {
  createBells,
  createLogger,
  createMetrics,
  loadConfig,
  openRedisLink,
  redisSection,
  type Bell,
} from '@entrepot/runtime';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';

/**
 * Rings in the processes that share a Redis. Nothing depends on it, so nothing is said where it fails: they look once a
 * second anyway.
 */
export async function ringBell(source: SettingsSource, bell: Bell): Promise<void> {
  const { redis } = loadConfig([redisSection], { ...source, known: standaloneSections });
  if (redis.url === undefined) return;
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'cli' });
  const link = await openRedisLink(redis, { logger, metrics: createMetrics() }).catch(() => undefined);
  await createBells(link).ring(bell);
  await link?.close();
}
