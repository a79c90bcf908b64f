import { describe, expect, it } from 'vitest';
import { pollEvery } from './poll.js';

describe('pollEvery', () => {
  it('goes on after a failed round, and not after stop', async () => {
    const errors: unknown[] = [];
    let rounds = 0;
    const polling = pollEvery(
      1,
      () => {
        rounds += 1;
        return rounds % 2 === 0 ? Promise.reject(new Error(`round ${rounds}`)) : Promise.resolve();
      },
      (error) => errors.push(error),
    );
    await expect.poll(() => errors.length, { interval: 5 }).toBeGreaterThanOrEqual(2);
    await polling.stop();
    const after = rounds;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(rounds).toBe(after);
  });

  it('waits for the round that runs when it is stopped', async () => {
    const done: string[] = [];
    const gate = Promise.withResolvers<void>();
    let isRunning = false;
    const polling = pollEvery(
      1,
      async () => {
        isRunning = true;
        await gate.promise;
        done.push('round');
      },
      () => {},
    );
    await expect.poll(() => isRunning, { interval: 2 }).toBe(true);
    const stopped = polling.stop().then(() => done.push('stopped'));
    gate.resolve();
    await stopped;
    expect(done).toEqual(['round', 'stopped']);
  });

  it('hurries where it is asked to, once for all who ask meanwhile', async () => {
    let rounds = 0;
    let gate = Promise.withResolvers<void>();
    const polling = pollEvery(
      3_600_000,
      () => {
        rounds += 1;
        return gate.promise;
      },
      () => {},
    );
    polling.hurry();
    polling.hurry();
    await expect.poll(() => rounds, { interval: 2 }).toBe(1);
    polling.hurry();
    polling.hurry();
    const first = gate;
    gate = Promise.withResolvers<void>();
    first.resolve();
    await expect.poll(() => rounds, { interval: 2 }).toBe(2);
    gate.resolve();
    await polling.stop();
    polling.hurry();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(rounds).toBe(2);
  });
});
