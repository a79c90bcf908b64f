import { readFileSync } from 'node:fs';
import { ConfigError } from '../config/load-config.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { RedisLink } from './redis-link.js';
import type { RedisConfig } from './redis-section.js';

/**
 * Opens the way to the Redis that the settings name; undefined where they name none. Resolves when Redis is ready or was not
 * within two seconds: it is not needed. Rejects with ConfigError where it may drop keys.
 */
export async function openRedisLink(
  { url, prefix, ca }: RedisConfig,
  { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
): Promise<RedisLink | undefined> {
  if (url === undefined) return undefined;
  const link = new RedisLink({ address: url, prefix, ca: ca && readCertificates(ca), logger, metrics });
  await link.start();
  return link;
}

function readCertificates(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new ConfigError([`ENTREPOT_REDIS_CA: the file cannot be read (${reason})`]);
  }
}
