import { createHash, randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { PartBuffer, SegmentPool } from './part-buffer.js';

const MIB = 2 ** 20;

function fill(part: PartBuffer, bytes: Buffer, chunkBytes: number): void {
  for (let start = 0; start < bytes.length; start += chunkBytes) {
    let chunk: Uint8Array = bytes.subarray(start, start + chunkBytes);
    while (chunk.length > 0) chunk = chunk.subarray(part.append(chunk, Infinity));
  }
}

describe('part buffer', () => {
  it.each([0, 1, 65_536, 65_537, MIB, 3 * MIB + 65_536, 3 * MIB + 70_001])(
    'gives %i bytes back, and their digest',
    async (sizeBytes) => {
      const bytes = randomBytes(sizeBytes);
      const part = new PartBuffer(new SegmentPool(0));
      fill(part, bytes, 50_001);
      expect(part.sizeBytes).toBe(sizeBytes);
      expect(part.digest()).toBe(createHash('sha256').update(bytes).digest('hex'));
      for (let time = 0; time < 2; time += 1) expect((await buffer(part.stream())).equals(bytes)).toBe(true);
    },
  );

  it('takes no more than it is told', () => {
    const part = new PartBuffer(new SegmentPool(0));
    expect(part.append(Buffer.alloc(100), 7)).toBe(7);
    expect(part.sizeBytes).toBe(7);
  });

  it('takes little for little, and gives it back', () => {
    const pool = new SegmentPool(2 * MIB);
    const small = new PartBuffer(pool);
    small.append(Buffer.alloc(10), 10);
    expect(pool.usedBytes).toBe(65_536);
    const large = new PartBuffer(pool);
    fill(large, Buffer.alloc(2 * MIB), MIB);
    expect(pool.isOut).toBe(true);
    large.release();
    small.release(true);
    small.release();
    expect(pool.usedBytes).toBe(0);
  });
});
