import { randomUUID } from 'node:crypto';
import type { Redis } from 'ioredis';
import { connectToListen } from './connect-redis.js';
import type { RedisLink } from './redis-link.js';

const PING_INTERVAL_MS = 5_000;
const RETRY_MS = 1_000;

/** `access.changed`: who may do what; `storage.doomed`: an object can be removed; `jobs.changed`: a job waits, or is to stop. */
export type Bell = 'access.changed' | 'storage.doomed' | 'jobs.changed';

/**
 * Bells that the processes of an installation share: who hears one looks into Postgres. A bell says nothing more, may ring
 * twice, and may go unheard; what it is rung for happens without it, too, only later.
 */
export interface Bells {
  /** Rings in this process and, where there is a Redis, in all others. Resolves when it is done or was given up; never rejects. */
  ring(bell: Bell): Promise<void>;
  /** Calls `listener`, which must not throw, at each ring; returns what ends that. */
  onRing(bell: Bell, listener: () => void): () => void;
  close(): void;
}

/** Bells over Redis, or of this process alone. */
export function createBells(link: RedisLink | undefined): Bells {
  const listeners = new Map<string, Set<() => void>>();
  const ringHere = (bell: string): void => listeners.get(bell)?.forEach((listener) => listener());
  const wire = link && new BellWire(link, ringHere);
  return {
    async ring(bell) {
      ringHere(bell);
      await wire?.send(bell);
    },
    onRing(bell, listener) {
      const present = listeners.get(bell) ?? new Set();
      listeners.set(bell, present.add(listener));
      wire?.listen();
      return () => present.delete(listener);
    },
    close() {
      wire?.close();
    },
  };
}

/** One channel for all bells. Messages are `sender bell`, so that a process does not hear its own twice. */
class BellWire {
  readonly #self = randomUUID();
  readonly #channel: string;
  #listener: Redis | undefined;
  #attempts = 0;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(
    private readonly link: RedisLink,
    private readonly onBell: (bell: string) => void,
  ) {
    this.#channel = link.key('bells');
  }

  async send(bell: string): Promise<void> {
    await this.link.run('bells', (client) => client.publish(this.#channel, `${this.#self} ${bell}`)).catch(() => {});
  }

  listen(): void {
    if (this.#listener !== undefined || this.#isClosed) return;
    const listener = connectToListen(this.link.endpoint, this.#attempts++);
    this.#listener = listener;
    listener.on('message', (_channel, message: string) => {
      const [sender, bell = ''] = message.split(' ', 2);
      if (sender !== this.#self) this.onBell(bell);
    });
    listener.subscribe(this.#channel).catch(() => {});
    // A connection that only listens would not notice that its other end is gone.
    this.#timer = setInterval(() => void listener.ping().catch(() => {}), PING_INTERVAL_MS).unref();
    listener.once('end', () => {
      clearInterval(this.#timer);
      this.#timer = setTimeout(() => {
        this.#listener = undefined;
        this.listen();
      }, RETRY_MS).unref();
    });
  }

  close(): void {
    this.#isClosed = true;
    this.#listener?.disconnect();
    clearInterval(this.#timer);
  }
}
