import { describe, expect, it } from 'vitest';
import type { BlobStore, ObjectWriter } from '../ports/blob-store.js';
import type { ContentTransaction, UnitOfWork } from '../ports/unit-of-work.js';
import { watchStore, watchWork } from './watch-ports.js';

class OneByteWriter {
  #offsetBytes = 0;
  get offsetBytes(): number {
    return this.#offsetBytes;
  }
  async write(chunk: Uint8Array): Promise<void> {
    this.#offsetBytes += chunk.byteLength;
  }
}

describe('watched ports', () => {
  it('tell each point in its order, and change nothing', async () => {
    const points: string[] = [];
    const writer = new OneByteWriter();
    const plain = { newKey: () => 'key', write: async () => writer as unknown as ObjectWriter };
    const store = watchStore(plain as unknown as BlobStore, async (point) => void points.push(point));
    const opened = await store.write(store.newKey(), { offsetBytes: 0 });
    await opened.write(new Uint8Array(3));
    expect(opened.offsetBytes).toBe(3);
    expect(points).toEqual(['store.write:before', 'store.write:after', 'writer.write:before', 'writer.write:after']);
  });

  it('watch the statements of a transaction', async () => {
    const points: string[] = [];
    const tx = { lockTags: async () => {} } as unknown as ContentTransaction;
    const plain: UnitOfWork = { run: (inside) => inside(tx) };
    const work = watchWork(plain, async (point) => void points.push(point));
    expect(await work.run((inside) => inside.lockTags('1', []).then(() => 'done'))).toBe('done');
    expect(points).toEqual([
      'work.run:before',
      'transaction.lockTags:before',
      'transaction.lockTags:after',
      'work.run:after',
    ]);
  });

  it('pass failures on, and are then not after', async () => {
    const points: string[] = [];
    const plain: UnitOfWork = { run: () => Promise.reject(new Error('refused')) };
    const work = watchWork(plain, async (point) => void points.push(point));
    await expect(work.run(async () => {})).rejects.toThrow('refused');
    expect(points).toEqual(['work.run:before']);
  });
});
