import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Upload, Uploads } from '../ports/uploads.js';
import { HeldLease, LeaseLost } from './held-lease.js';

const LEASE_MS = 15_000;
const upload = { offsetBytes: 0 } as Upload;

describe('a lease that is held', () => {
  let renewals: number;
  let isOurs: boolean;
  let held: HeldLease;

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ['Date', 'performance', 'setInterval', 'clearInterval'] });
    [renewals, isOurs] = [0, true];
    const uploads = {
      renew: async () => {
        renewals += 1;
        return isOurs;
      },
    } as Partial<Uploads> as Uploads;
    const lease = { uploadId: 'upload', leaseId: 'lease' };
    held = new HeldLease(uploads, { lease, upload, askedAtMs: performance.now() }, LEASE_MS);
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it('is renewed when a third of it has passed, and not before', async () => {
    await held.ensure();
    expect(renewals).toBe(0);
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    await held.ensure();
    await held.ensure();
    expect(renewals).toBe(1);
  });

  it.each([-3_600_000, 3_600_000])('FT-58: does not care that the clock was set by %i ms', async (jumpMs) => {
    vi.setSystemTime(Date.now() + jumpMs);
    expect(held.isDue).toBe(false);
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    expect(held.isDue).toBe(true);
  });

  it('is kept while work takes longer than it lasts', async () => {
    const work = Promise.withResolvers<string>();
    const done = held.during(() => work.promise);
    await vi.advanceTimersByTimeAsync(2 * LEASE_MS);
    expect(renewals).toBe(6);
    work.resolve('done');
    expect(await done).toBe('done');
    await vi.advanceTimersByTimeAsync(LEASE_MS);
    expect(renewals).toBe(6);
  });

  it('that was lost during such work is known at its end', async () => {
    const work = Promise.withResolvers<void>();
    const done = held.during(() => work.promise);
    isOurs = false;
    await vi.advanceTimersByTimeAsync(LEASE_MS / 3);
    work.resolve();
    await expect(done).rejects.toBeInstanceOf(LeaseLost);
  });
});
