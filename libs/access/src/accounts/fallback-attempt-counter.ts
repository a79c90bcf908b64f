import type { AttemptCount, AttemptCounter } from '../ports/attempt-counter.js';

/** The first store with the second to fall back on; the second alone where there is no first. */
export function counterWithFallback(first: AttemptCounter | undefined, second: AttemptCounter): AttemptCounter {
  return first === undefined ? second : new FallbackAttemptCounter(first, second);
}

/**
 * Counts in the first store, and in the second one for as long as the first rejects. A change between them starts from what
 * the other store knows, mostly from nothing: throttling may begin anew, and no login fails by it.
 */
export class FallbackAttemptCounter implements AttemptCounter {
  constructor(
    private readonly first: AttemptCounter,
    private readonly second: AttemptCounter,
  ) {}

  peek(key: string): Promise<AttemptCount> {
    return this.first.peek(key).catch(() => this.second.peek(key));
  }

  add(key: string): Promise<AttemptCount> {
    return this.first.add(key).catch(() => this.second.add(key));
  }

  /** In both: which of them counted is not known, and neither may keep what was forgiven. */
  async clear(key: string): Promise<void> {
    await Promise.all([this.first.clear(key).catch(() => {}), this.second.clear(key)]);
  }
}
