import { describe, expect, it } from 'vitest';
import { joinCalls } from './join-calls.js';

describe('joinCalls', () => {
  it('runs once more for all who call during a run, and after they called', async () => {
    const gates: PromiseWithResolvers<number>[] = [];
    const join = joinCalls(() => {
      const gate = Promise.withResolvers<number>();
      gates.push(gate);
      return gate.promise;
    });
    const first = join();
    const joined = [join(), join()];
    expect(gates).toHaveLength(1);
    gates[0]?.resolve(1);
    expect(await first).toBe(1);
    await Promise.resolve();
    expect(gates).toHaveLength(2);
    joined.push(join());
    gates[1]?.resolve(2);
    expect(await Promise.all(joined.slice(0, 2))).toEqual([2, 2]);
    gates[2]?.resolve(3);
    expect(await joined[2]).toBe(3);
    const later = join();
    expect(gates).toHaveLength(4);
    gates[3]?.resolve(4);
    expect(await later).toBe(4);
  });

  it('hands a failure to its own callers only', async () => {
    let runs = 0;
    const join = joinCalls(async () => {
      runs += 1;
      if (runs === 1) throw new Error('first');
      return runs;
    });
    const [first, second] = await Promise.allSettled([join(), join()]);
    expect(first).toMatchObject({ status: 'rejected', reason: { message: 'first' } });
    expect(second).toMatchObject({ status: 'fulfilled', value: 2 });
  });
});
