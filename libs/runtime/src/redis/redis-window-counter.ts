import type { RedisLink } from './redis-link.js';

interface WindowCount {
  readonly count: number;
  /** Until the count starts again at zero; 0 where nothing is counted. */
  readonly resetsInMs: number;
}

export interface RedisWindowCounterOptions {
  /** Tells counters apart that share the Redis. */
  readonly name: string;
  readonly windowMs: number;
}

/**
 * Counts by key within windows that begin with the first count, by the clock of Redis. Every operation rejects with
 * RedisAway, within a quarter of a second, where Redis does not answer or holds something that is no such count.
 */
export class RedisWindowCounter {
  constructor(
    private readonly link: RedisLink,
    private readonly options: RedisWindowCounterOptions,
  ) {}

  peek(key: string): Promise<WindowCount> {
    return this.#run(async (client, name) => {
      const replies = await client.multi().get(name).pttl(name).exec();
      const [count, leftMs] = readReplies(replies);
      return toCount(count === null ? 0 : Number(count), leftMs);
    }, key);
  }

  /** Counts one more; resolves with the count that includes it. */
  add(key: string): Promise<WindowCount> {
    return this.#run(async (client, name) => {
      const { windowMs } = this.options;
      const replies = await client.multi().set(name, 0, 'PX', windowMs, 'NX').incr(name).pttl(name).exec();
      const [, count, leftMs] = readReplies(replies);
      return toCount(Number(count), leftMs);
    }, key);
  }

  async clear(key: string): Promise<void> {
    await this.#run((client, name) => client.del(name), key);
  }

  #run<T>(work: (client: Parameters<Parameters<RedisLink['run']>[1]>[0], name: string) => Promise<T>, key: string) {
    const { name, windowMs } = this.options;
    return this.link.run(name, (client) => work(client, this.link.key(`${name}:${windowMs}:${key}`)));
  }
}

function readReplies(replies: [error: Error | null, reply: unknown][] | null): unknown[] {
  return (replies ?? []).map(([error, reply]) => {
    if (error) throw error;
    return reply;
  });
}

/** A count without an end would hold for ever: nobody who counts here makes one. */
function toCount(count: number, leftMs: unknown): WindowCount {
  if (!Number.isSafeInteger(count) || (count > 0 && Number(leftMs) < 0)) throw new Error('that is no count');
  return { count, resetsInMs: Math.max(Number(leftMs), 0) };
}
