import { createBells, createLogger, createMetrics, loadConfig, openRedisLink, redisSection } from '@entrepot/runtime';
import { standaloneSections, type SettingsSource } from '../standalone/settings.js';

/**
 * Tells the data planes, where they share a Redis, that access was changed. Nothing depends on it, so nothing is said where it
 * fails: they look once a second anyway.
 */
export async function ringAccessChanged(source: SettingsSource): Promise<void> {
  const { redis } = loadConfig([redisSection], { ...source, known: standaloneSections });
  const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'cli' });
  const link = await openRedisLink(redis, { logger, metrics: createMetrics() }).catch(() => undefined);
  await createBells(link).ring('access.changed');
  await link?.close();
}
