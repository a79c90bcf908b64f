import { Cluster } from 'ioredis';
import type { RedisClient } from './connect-redis.js';

/**
 * The policy by which the Redis, or a server of the Cluster, drops keys when its memory is full; undefined where none does.
 * Dropped keys are lost jobs and locks, so that BullMQ asks for `noeviction`. Asked by INFO, since hosted servers
 * forbid CONFIG.
 */
export async function findEvictionPolicy(client: RedisClient): Promise<string | undefined> {
  const servers = client instanceof Cluster ? client.nodes('master') : [client];
  const policies = await Promise.all(servers.map(readPolicy));
  return policies.find((policy) => policy !== undefined && policy !== 'noeviction');
}

async function readPolicy(server: Pick<RedisClient, 'info'>): Promise<string | undefined> {
  return /^maxmemory_policy:(\S+)/m.exec(await server.info('memory'))?.[1];
}
