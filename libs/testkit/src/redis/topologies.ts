import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../entrepot.js';
import { startRedis, type RedisServer } from './server.js';

const MASTER_NAME = 'mymaster';
const SLOT_COUNT = 16_384;
const SETTLE_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Several servers that act as one. */
export interface RedisTopology {
  readonly url: string;
  readonly servers: readonly RedisServer[];
  remove(): Promise<void>;
}

/** A master, a replica and a Sentinel, in this order, that replaces a master which was silent for two seconds. */
export async function startSentinelRedis(): Promise<RedisTopology> {
  const master = await startRedis();
  const replica = await startRedis({ settings: { replicaof: `127.0.0.1 ${master.port}` } });
  const sentinel = await startRedis({
    isSentinel: true,
    settings: {
      'sentinel monitor': `${MASTER_NAME} 127.0.0.1 ${master.port} 1`,
      'sentinel down-after-milliseconds': `${MASTER_NAME} 2000`,
      'sentinel failover-timeout': `${MASTER_NAME} 5000`,
    },
  });
  const servers = [master, replica, sentinel];
  await until(async () => /num-slaves\n1\b/.test(await sentinel.command('SENTINEL', 'MASTER', MASTER_NAME)));
  return topology(`redis+sentinel://127.0.0.1:${sentinel.port}/${MASTER_NAME}`, servers);
}

/** A Cluster of three masters. */
export async function startClusterRedis(): Promise<RedisTopology> {
  const busPorts = await Promise.all([findFreePort(), findFreePort(), findFreePort()]);
  const servers = await Promise.all(busPorts.map(startNode));
  const meeting = ['127.0.0.1', `${servers[0]?.port}`, `${busPorts[0]}`];
  const share = Math.ceil(SLOT_COUNT / servers.length);
  for (const [index, server] of servers.entries()) {
    const range = [`${index * share}`, `${Math.min((index + 1) * share, SLOT_COUNT) - 1}`];
    await server.command('CLUSTER', 'ADDSLOTSRANGE', ...range);
    await server.command('CLUSTER', 'SET-CONFIG-EPOCH', `${index + 1}`);
    await server.command('CLUSTER', 'MEET', ...meeting);
  }
  await until(async () => (await Promise.all(servers.map(seesAll))).every(Boolean));
  return topology(`redis+cluster://${servers.map(({ port }) => `127.0.0.1:${port}`).join(',')}`, servers);
}

function startNode(busPort: number): Promise<RedisServer> {
  return startRedis({
    settings: { 'cluster-enabled': 'yes', 'cluster-node-timeout': '2000', 'cluster-port': `${busPort}` },
  });
}

async function seesAll(node: RedisServer): Promise<boolean> {
  return (await node.command('CLUSTER', 'INFO')).startsWith('cluster_state:ok');
}

function topology(url: string, servers: readonly RedisServer[]): RedisTopology {
  return {
    url,
    servers,
    async remove() {
      await Promise.all(servers.map((server) => server.remove()));
    },
  };
}

async function until(isSo: () => Promise<boolean>): Promise<void> {
  for (const deadline = performance.now() + SETTLE_TIMEOUT_MS; !(await isSo()); await delay(POLL_MS)) {
    if (performance.now() > deadline) throw new Error('the Redis servers did not find each other');
  }
}
