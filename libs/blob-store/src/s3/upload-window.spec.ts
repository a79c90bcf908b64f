import { beforeEach, describe, expect, it } from 'vitest';
import { UploadWindow } from './upload-window.js';

describe('upload window', () => {
  let window: UploadWindow;
  let running: number;
  let most: number;

  beforeEach(() => {
    window = new UploadWindow(3);
    running = 0;
    most = 0;
  });

  async function work(): Promise<void> {
    running += 1;
    most = Math.max(most, running);
    await new Promise((resolve) => setImmediate(resolve));
    running -= 1;
  }

  it('runs so many at a time and no more', async () => {
    for (let index = 0; index < 20; index += 1) await window.start(work);
    await window.settle();
    expect(most).toBe(3);
    expect(running).toBe(0);
    expect(window.isIdle).toBe(true);
    await window.next();
  });

  it('begins nothing after the first failure, and says why', async () => {
    const reason = new Error('first');
    await Promise.all([
      window.start(() => Promise.reject(reason)),
      window.start(() => Promise.reject(new Error('second'))),
    ]);
    await expect(window.settle()).rejects.toBe(reason);
    await expect(window.start(work)).rejects.toBe(reason);
    await expect(window.next()).rejects.toBe(reason);
    expect(most).toBe(0);
  });
});
