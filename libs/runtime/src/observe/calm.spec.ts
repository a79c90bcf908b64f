import { describe, expect, it } from 'vitest';
import { Calm } from './calm.js';

describe('Calm', () => {
  it('lets the first message through, and after a while the next, with the number of those in between', async () => {
    const calm = new Calm(50);
    const told: number[] = [];
    const tell = () => calm.tell((untold) => told.push(untold));
    for (let times = 0; times < 5; times += 1) tell();
    expect(told).toEqual([0]);
    await expect
      .poll(() => {
        tell();
        return told.length;
      })
      .toBe(2);
    expect(told[1]).toBeGreaterThanOrEqual(4);
  });
});
