import { describe, expect, it } from 'vitest';
import type { AttemptCounter } from '../ports/attempt-counter.js';
import { attemptCounterSuite } from '../ports/attempt-counter.suite.js';
import { FallbackAttemptCounter } from './fallback-attempt-counter.js';

/** Counts in memory; rejects while it is away. */
class MemoryCounter implements AttemptCounter {
  isAway = false;
  readonly #counts = new Map<string, { count: number; endsAtMs: number }>();

  constructor(private readonly windowMs: number) {}

  async peek(key: string) {
    const { count, endsAtMs } = this.#find(key);
    return { count, resetsInMs: count === 0 ? 0 : endsAtMs - performance.now() };
  }

  async add(key: string) {
    const { count, endsAtMs } = this.#find(key);
    this.#counts.set(key, { count: count + 1, endsAtMs });
    return this.peek(key);
  }

  async clear(key: string) {
    this.#find(key);
    this.#counts.delete(key);
  }

  #find(key: string) {
    if (this.isAway) throw new Error('away');
    const nowMs = performance.now();
    const present = this.#counts.get(key);
    return present && present.endsAtMs > nowMs ? present : { count: 0, endsAtMs: nowMs + this.windowMs };
  }
}

describe('FallbackAttemptCounter', () => {
  attemptCounterSuite(
    (windowMs) => new FallbackAttemptCounter(new MemoryCounter(windowMs), new MemoryCounter(windowMs)),
  );

  it('counts in the second store while the first is away, and fails with none of its failures', async () => {
    const [first, second] = [new MemoryCounter(60_000), new MemoryCounter(60_000)];
    const counter = new FallbackAttemptCounter(first, second);
    await counter.add('key');
    first.isAway = true;
    expect((await counter.peek('key')).count).toBe(0);
    expect((await counter.add('key')).count).toBe(1);
    expect((await counter.add('key')).count).toBe(2);
    first.isAway = false;
    expect((await counter.add('key')).count).toBe(2);
  });

  it('forgives in both, as far as they are there', async () => {
    const [first, second] = [new MemoryCounter(60_000), new MemoryCounter(60_000)];
    const counter = new FallbackAttemptCounter(first, second);
    await first.add('key');
    await second.add('key');
    first.isAway = true;
    await counter.clear('key');
    expect((await second.peek('key')).count).toBe(0);
    first.isAway = false;
    expect((await counter.peek('key')).count).toBe(1);
    await counter.clear('key');
    expect((await counter.peek('key')).count).toBe(0);
  });
});
