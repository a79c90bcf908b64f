import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { ConfigError } from '../config/load-config.js';
import type { HealthCheck } from '../http/health.js';
import { Calm } from '../observe/calm.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { connectForCommands, type RedisClient, type RedisEndpoint } from './connect-redis.js';
import { findEvictionPolicy } from './eviction-policy.js';

export interface RedisLinkOptions extends RedisEndpoint {
  /** Beginning of every key and channel. */
  readonly prefix: string;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Redis is away, or did not answer in time. Nothing that matters may depend on the difference. */
export class RedisAway extends Error {
  override readonly name = 'RedisAway';
}

/** No answer came in time. */
class Silence extends Error {}

const START_WAIT_MS = 2_000;
const PROBE_INTERVAL_MS = 1_000;
const PROBE_TIMEOUT_MS = 1_000;
const ANSWER_TIMEOUT_MS = 250;

/**
 * This process's way to Redis. Looks once a second whether it takes writes, and tells those who watch; whoever asks while
 * it is away is told so at once. Redis may stop, hang, lose everything and come back at any time.
 */
export class RedisLink {
  /** Braces put all keys into one slot of a Cluster, as scripts over several of them need. */
  readonly keyPrefix: string;
  readonly #client: RedisClient;
  readonly #watchers = new Set<(isReady: boolean) => void>();
  readonly #calmAway = new Calm();
  readonly #calmReady = new Calm();
  readonly #failures: { inc(labels: { use: string }): void };
  readonly #probeKey: string;
  readonly #firstProbe = Promise.withResolvers<void>();
  #probing: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  #isReady = false;
  /** An answer did not come: nobody else waits for one until a probe succeeds. */
  #isDoubted = false;
  /** What is wrong with how this server is set up; undefined while that is unknown or fine. */
  #refusal: string | undefined;
  #isTrusted = false;
  #reason = 'no connection yet';
  #isClosed = false;

  constructor(private readonly options: RedisLinkOptions) {
    this.keyPrefix = `{${options.prefix}}`;
    this.#probeKey = this.key(`probe:${randomUUID()}`);
    const { metrics } = options;
    metrics.gauge('redis_up', 'Whether Redis is in use: 1, or 0 while it is away.', () => (this.#isReady ? 1 : 0));
    const help = 'Operations that went on without Redis, which was away or did not answer in time.';
    this.#failures = metrics.counter('redis_failures_total', help, ['use']);
    this.#client = connectForCommands(options);
    this.#client.on('ready', () => void this.#probe());
    this.#client.on('error', (error: Error) => (this.#reason = error.message));
    this.#client.on('close', () => {
      this.#isTrusted = false;
      this.#setAway(this.#isReady ? 'the connection was lost' : this.#reason);
    });
  }

  /**
   * Resolves when Redis is ready, or did not become so within two seconds: it is not needed. Rejects with ConfigError where
   * it may drop keys.
   */
  async start(): Promise<void> {
    this.#scheduleProbe();
    const waiting = new AbortController();
    const waited = delay(START_WAIT_MS, undefined, { signal: waiting.signal }).catch(() => {});
    await Promise.race([this.#firstProbe.promise, waited]);
    waiting.abort();
    if (this.#refusal !== undefined) {
      await this.close();
      throw new ConfigError([`ENTREPOT_REDIS_URL: ${this.#refusal}`]);
    }
    if (!this.#isReady) this.#tellAway();
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  /** A key or channel of this installation. */
  key(name: string): string {
    return `${this.keyPrefix}:${name}`;
  }

  /** Runs a command; rejects with RedisAway, at the latest after 250 ms, and counts that for `use`. */
  async run<T>(use: string, work: (client: RedisClient) => Promise<T>): Promise<T> {
    try {
      if (!this.#isReady || this.#isDoubted) throw new RedisAway(this.#reason);
      return await withinTime(work(this.#client), ANSWER_TIMEOUT_MS);
    } catch (error) {
      this.#failures.inc({ use });
      if (error instanceof RedisAway) throw error;
      if (error instanceof Silence) {
        this.#isDoubted = true;
        void this.#probe();
      }
      throw new RedisAway(messageOf(error), { cause: error });
    }
  }

  /** Calls `listener` whenever Redis becomes ready or goes away; returns what ends that. */
  watch(listener: (isReady: boolean) => void): () => void {
    this.#watchers.add(listener);
    return () => this.#watchers.delete(listener);
  }

  /** How to make further connections. */
  get endpoint(): RedisEndpoint {
    return this.options;
  }

  /** Rejects while Redis is away. */
  get check(): HealthCheck {
    const check = async (): Promise<void> => {
      if (!this.#isReady) throw new RedisAway(this.#reason);
    };
    return Object.assign(check, { isOptional: true as const });
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearTimeout(this.#timer);
    this.#watchers.clear();
    this.#client.disconnect();
    await this.#probing;
  }

  #scheduleProbe(): void {
    if (this.#isClosed) return;
    this.#timer = setTimeout(() => void this.#probe().then(() => this.#scheduleProbe()), PROBE_INTERVAL_MS);
    this.#timer.unref();
  }

  /** One at a time; never rejects. */
  #probe(): Promise<void> {
    this.#probing ??= this.#probeOnce().finally(() => (this.#probing = undefined));
    return this.#probing;
  }

  async #probeOnce(): Promise<void> {
    if (this.#isClosed || this.#client.status !== 'ready') return;
    try {
      if (!this.#isTrusted) await this.#lookAtPolicy();
      // A write: a server without memory or disk, or one that became a replica, answers PING all the same.
      await withinTime(this.#client.set(this.#probeKey, '', 'PX', PROBE_INTERVAL_MS * 10), PROBE_TIMEOUT_MS);
      this.#setReady();
    } catch (error) {
      this.#setAway(messageOf(error));
    }
    this.#firstProbe.resolve();
  }

  async #lookAtPolicy(): Promise<void> {
    const policy = await withinTime(findEvictionPolicy(this.#client), PROBE_TIMEOUT_MS);
    this.#refusal =
      policy === undefined ? undefined : `this Redis may drop keys (maxmemory-policy ${policy}); set it to noeviction`;
    if (this.#refusal !== undefined) throw new RedisAway(this.#refusal);
    this.#isTrusted = true;
  }

  #setReady(): void {
    this.#isDoubted = false;
    if (this.#isReady || this.#isClosed) return;
    this.#isReady = true;
    this.#calmReady.tell((untold) => this.options.logger.info({ untold }, 'Redis is ready'));
    for (const listener of this.#watchers) listener(true);
  }

  #setAway(reason: string): void {
    const isNews = this.#isReady || reason === this.#refusal;
    this.#reason = reason;
    if (isNews && !this.#isClosed) this.#tellAway();
    if (!this.#isReady) return;
    this.#isReady = false;
    for (const listener of this.#watchers) listener(false);
  }

  #tellAway(): void {
    const reason = this.#reason;
    this.#calmAway.tell((untold) => this.options.logger.warn({ reason, untold }, 'Redis is away; going on without it'));
  }
}

async function withinTime<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(() => timeout.reject(new Silence(`no answer within ${timeoutMs} ms`)), timeoutMs);
  try {
    return await Promise.race([answer, timeout.promise]);
  } finally {
    clearTimeout(timer);
    // Whoever stopped waiting is not told how it ended.
    answer.catch(() => {});
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
