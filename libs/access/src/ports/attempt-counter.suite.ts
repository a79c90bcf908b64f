import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import type { AttemptCounter } from './attempt-counter.js';

/** What every attempt counter keeps. `create` makes one with a window of that length over a shared store. */
export function attemptCounterSuite(create: (windowMs: number) => AttemptCounter): void {
  it('counts nothing at first', async () => {
    expect(await create(60_000).peek(randomUUID())).toEqual({ count: 0, resetsInMs: 0 });
  });

  it('counts attempts of one key, and says when they are forgotten', async () => {
    const counter = create(60_000);
    const key = randomUUID();
    await counter.add(key);
    const second = await counter.add(key);
    expect(second.count).toBe(2);
    expect(second.resetsInMs).toBeGreaterThan(0);
    expect(second.resetsInMs).toBeLessThanOrEqual(60_000);
    expect((await counter.peek(key)).count).toBe(2);
    expect((await counter.peek(randomUUID())).count).toBe(0);
  });

  it('loses no attempt of many at once', async () => {
    const counter = create(60_000);
    const key = randomUUID();
    const counts = await Promise.all(Array.from({ length: 25 }, () => counter.add(key)));
    expect(counts.map(({ count }) => count).sort((a, b) => a - b)).toEqual(Array.from({ length: 25 }, (_, i) => i + 1));
  });

  it('forgets on demand', async () => {
    const counter = create(60_000);
    const key = randomUUID();
    await counter.add(key);
    await counter.clear(key);
    expect((await counter.peek(key)).count).toBe(0);
  });

  it('begins anew after the window', async () => {
    const counter = create(1000);
    const key = randomUUID();
    await counter.add(key);
    await expect.poll(async () => (await counter.peek(key)).count, { timeout: 10_000 }).toBe(0);
    expect((await counter.add(key)).count).toBe(1);
  });
}
