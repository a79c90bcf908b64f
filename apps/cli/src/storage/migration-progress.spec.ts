import { newTally } from '@entrepot/content';
import { describe, expect, it } from 'vitest';
import { formatBytes, formatProgress, formatSeconds, progressOf } from './migration-progress.js';

describe('the progress of a migration', () => {
  it('is what is done, what is left and how long that takes', () => {
    const tally = { ...newTally(), movedBlobs: 3, movedBytes: 2 ** 30, copiedBytes: 2 ** 30, failedBlobs: 1 };
    const progress = progressOf(tally, { blobs: 10, sizeBytes: 4 * 2 ** 30 }, 60_000);
    expect(progress).toMatchObject({ bytesPerSecond: Math.round(2 ** 30 / 60), secondsLeft: 180 });
    expect(formatProgress(progress)).toBe('3 of 10 blobs, 1.0 GiB of 4.0 GiB, 17.1 MiB/s, 3 min left, 1 failed\n');
  });

  it('promises nothing before the first byte', () => {
    const progress = progressOf(newTally(), { blobs: 1, sizeBytes: 5 }, 0);
    expect(progress.secondsLeft).toBeUndefined();
    expect(formatProgress(progress)).toBe('0 of 1 blob, 0 B of 5 B, 0 B/s\n');
  });

  it('is written as people write it', () => {
    expect([0, 1023, 1536, 5 * 2 ** 40].map(formatBytes)).toEqual(['0 B', '1023 B', '1.5 KiB', '5.0 TiB']);
    expect([1, 59, 61, 4000].map(formatSeconds)).toEqual(['1 s', '59 s', '1 min', '1 h 7 min']);
  });
});
