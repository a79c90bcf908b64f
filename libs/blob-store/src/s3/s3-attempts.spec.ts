import { describe, expect, it } from 'vitest';
import { S3Attempts } from './s3-attempts.js';
import { S3Failure, SILENCE } from './s3-failure.js';

const timeouts = { connectMs: 1000, idleMs: 1000 };
const trouble = () => Promise.reject(Object.assign(new Error('reset'), { code: 'ECONNRESET' }));

/** A request that fails so often before it succeeds, and counts. */
function failing(times: number, fail: () => Promise<never> = trouble) {
  const request = async (): Promise<string> => {
    request.count += 1;
    return request.count > times ? 'done' : fail();
  };
  request.count = 0;
  return request;
}

describe('attempts', () => {
  it('are repeated until one succeeds', async () => {
    const request = failing(2);
    expect(await new S3Attempts(timeouts).run(request)).toBe('done');
    expect(request.count).toBe(3);
  });

  it('end with an answer, whatever it says', async () => {
    const request = failing(9, () => Promise.reject(new S3Failure('NoSuchKey', false)));
    await expect(new S3Attempts(timeouts).run(request)).rejects.toMatchObject({ code: 'NoSuchKey' });
    expect(request.count).toBe(1);
  });

  it('end after two silences, each of which took long', async () => {
    const request = failing(9, () => Promise.reject(new S3Failure(SILENCE, true)));
    await expect(new S3Attempts(timeouts).run(request)).rejects.toMatchObject({ code: SILENCE });
    expect(request.count).toBe(2);
  });

  it('end when they are given up', async () => {
    const giveUp = new AbortController();
    const request = failing(9, () => {
      giveUp.abort();
      return trouble();
    });
    const attempts = new S3Attempts(timeouts).until(giveUp.signal);
    await expect(attempts.run(request)).rejects.toMatchObject({ code: 'given up', isTransient: false });
    await expect(attempts.run(request)).rejects.toMatchObject({ code: 'given up' });
    expect(request.count).toBe(1);
  });

  it('share a purse: many that fail at once are not made again and again', async () => {
    const attempts = new S3Attempts(timeouts);
    const requests = Array.from({ length: 400 }, () => failing(1));
    const outcomes = await Promise.allSettled(requests.map((request) => attempts.run(request)));
    const succeeded = outcomes.filter(({ status }) => status === 'fulfilled').length;
    // Each success puts a little back.
    expect(succeeded).toBeGreaterThanOrEqual(100);
    expect(succeeded).toBeLessThan(130);
  });
});
