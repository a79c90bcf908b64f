import { describe, expect, it } from 'vitest';
import { createPace } from './create-pace.js';

describe('paced bytes', () => {
  it('pass no faster than the rate, however many pass at once', async () => {
    const startedMs = performance.now();
    const pace = createPace(1_000_000, new AbortController().signal);
    await Promise.all([pace(50_000), pace(50_000), pace(50_000)]);
    await pace(50_000);
    expect(performance.now() - startedMs).toBeGreaterThanOrEqual(199);
  });

  it('wait no longer when there is nobody to pass for', async () => {
    const abort = new AbortController();
    const waiting = createPace(1, abort.signal)(1_000_000);
    abort.abort();
    await expect(waiting).rejects.toThrow('aborted');
  });
});
