import { isIP } from 'node:net';
import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { RedisAddress } from './redis-address.js';

export type RedisClient = Redis | Cluster;
type ServerOptions = Omit<RedisOptions, 'replyMapping'>;

export interface RedisEndpoint {
  readonly address: RedisAddress;
  /** PEM text of the certificates that TLS trusts in place of Node's. */
  readonly ca: string | undefined;
}

const CONNECT_TIMEOUT_MS = 3_000;
/** How long a server may leave a command unanswered before the connection counts as dead. */
const SILENCE_MS = 3_000;
const FIRST_RETRY_MS = 50;
const MAX_RETRY_MS = 2_000;

/**
 * For commands that fail fast: what fails leaves nothing behind that would run later, or pile up. Connects in the
 * background, and again whenever the connection is lost, until `disconnect`; so does the next one.
 */
export function connectForCommands(endpoint: RedisEndpoint): RedisClient {
  return connect(endpoint, {
    ...optionsOf(endpoint, 'commands'),
    enableOfflineQueue: false,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    socketTimeout: SILENCE_MS,
  });
}

/** A connection and those that were made after its example. */
export interface QueueConnections {
  readonly client: RedisClient;
  /** For good. */
  end(): void;
}

/**
 * For BullMQ, which waits in blocking commands, asks that they are never given up, and watches them itself. It makes copies
 * of the connection, and may take one up again that it closed while it waited: `end` holds for all of them.
 */
export function connectForQueue(endpoint: RedisEndpoint): QueueConnections {
  const clients = new Set<RedisClient>();
  let hasEnded = false;
  const keep = (client: RedisClient): RedisClient => {
    clients.add(client);
    client.on('ready', () => {
      if (hasEnded) client.disconnect();
    });
    const duplicate = client.duplicate.bind(client) as (...options: unknown[]) => RedisClient;
    return Object.assign(client, { duplicate: (...options: unknown[]) => keep(quiet(duplicate(...options))) });
  };
  const retryStrategy = (attempt: number) => (hasEnded ? null : retryDelayMs(attempt));
  const options = { ...optionsOf(endpoint, 'queue'), maxRetriesPerRequest: null, retryStrategy };
  return {
    client: keep(connect(endpoint, options)),
    end() {
      hasEnded = true;
      for (const client of clients) client.disconnect();
    },
  };
}

/**
 * To listen on channels: one connection, which ends for good when it is lost. Any node of a Cluster passes on what is
 * published at another, so that the next attempt may as well go to the next node.
 */
export function connectToListen(endpoint: RedisEndpoint, attempt: number): Redis {
  const { address } = endpoint;
  const options = { ...optionsOf(endpoint, 'bells'), socketTimeout: SILENCE_MS, retryStrategy: () => null };
  if (address.form !== 'cluster') return quiet(connectServer(address, options));
  return quiet(new Redis({ ...options, ...(address.nodes[attempt % address.nodes.length] ?? address.nodes[0]) }));
}

function connect({ address }: RedisEndpoint, options: ServerOptions): RedisClient {
  return quiet(address.form === 'cluster' ? connectCluster(address, options) : connectServer(address, options));
}

/** Without a listener every failure would be printed; whoever uses the connection is told by its commands. */
function quiet<Client extends RedisClient>(client: Client): Client {
  client.on('error', () => {});
  return client;
}

function optionsOf({ address, ca }: RedisEndpoint, use: string) {
  const { username, password, isTls } = address;
  return {
    connectionName: `entrepot-${use}`,
    connectTimeout: CONNECT_TIMEOUT_MS,
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password: password.reveal() }),
    ...(isTls && { tls: ca === undefined ? {} : { ca } }),
    // A server that became a replica says so to the first write.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
  } satisfies ServerOptions;
}

function connectServer({ form, database, masterName, sentinel, nodes }: RedisAddress, options: ServerOptions): Redis {
  const shared = { retryStrategy: retryDelayMs, ...options, db: database };
  if (form === 'single') return new Redis({ ...shared, ...nodes[0] });
  return new Redis({
    ...shared,
    name: masterName,
    sentinels: [...nodes],
    sentinelRetryStrategy: retryDelayMs,
    sentinelCommandTimeout: SILENCE_MS,
    ...(sentinel.username !== undefined && { sentinelUsername: sentinel.username }),
    ...(sentinel.password !== undefined && { sentinelPassword: sentinel.password.reveal() }),
    ...(options.tls && { sentinelTLS: options.tls, enableTLSForSentinelMode: true }),
  });
}

function connectCluster({ nodes }: RedisAddress, given: ServerOptions): Cluster {
  const { enableOfflineQueue = true, retryStrategy = retryDelayMs, ...options } = given;
  return new Cluster([...nodes], {
    redisOptions: options,
    enableOfflineQueue,
    clusterRetryStrategy: retryStrategy,
    slotsRefreshTimeout: CONNECT_TIMEOUT_MS,
    // Certificates are for names: those stay names until TLS has looked at them.
    ...(options.tls && { dnsLookup: keepName }),
  });
}

const keepName: NonNullable<ClusterOptions['dnsLookup']> = (name, done) => done(null, name, isIP(name) || 4);

/** Doubles up to two seconds; up to half of it is left out, so that not all processes come at once. */
function retryDelayMs(attempt: number): number {
  return Math.min(FIRST_RETRY_MS * 2 ** attempt, MAX_RETRY_MS) * (1 - Math.random() / 2);
}
