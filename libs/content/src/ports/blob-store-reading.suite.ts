import { randomBytes } from 'node:crypto';
import { ObjectMissing, ObjectShort } from '@entrepot/content';
import type { BlobStore, ByteRange, ObjectKey } from '@entrepot/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LARGE_BYTES, ODD_CHUNK_BYTES, cut, put, readAll, readRange, turns } from './blob-store-trial.suite.js';

/** The promises of reading: exact ranges, back-pressure, and what happens when either side fails. */
export function blobStoreReadingSuite(current: () => BlobStore): void {
  let store: BlobStore;

  beforeAll(() => {
    store = current();
  });

  describe('reading', () => {
    const bytes = randomBytes(LARGE_BYTES);
    let key: ObjectKey;

    beforeAll(async () => {
      key = await put(store, cut(bytes, ODD_CHUNK_BYTES));
    });

    afterAll(async () => store.remove(key));

    it.each<ByteRange>([
      { start: 0, end: 0 },
      { start: LARGE_BYTES - 1, end: LARGE_BYTES - 1 },
      { start: 1, end: 65_536 },
      { start: 65_535, end: 65_536 },
      { start: 1_048_575, end: 1_048_576 },
      { start: 1_000_003, end: 7_000_001 },
      { start: 12_345, end: LARGE_BYTES - 1 },
      { start: 0, end: LARGE_BYTES - 1 },
    ])('feeds exactly the bytes from $start to $end', async (range) => {
      const found = await readRange(store, key, range);
      expect(found.equals(bytes.subarray(range.start, range.end + 1))).toBe(true);
    });

    it('waits for the sink before the next chunk', async () => {
      let busy = 0;
      let most = 0;
      const found: Buffer[] = [];
      await store.read(key, { start: 0, end: LARGE_BYTES - 1 }, async (chunk) => {
        busy += 1;
        most = Math.max(most, busy);
        await turns(5);
        // Copied late: the chunk is the sink's until its promise resolves, whatever is read meanwhile.
        found.push(Buffer.from(chunk));
        busy -= 1;
      });
      expect(most).toBe(1);
      expect(Buffer.concat(found).equals(bytes)).toBe(true);
    });

    it('stops when the sink rejects, with its reason', async () => {
      const reason = Object.assign(new Error('client went away'), { code: 'ECONNRESET', syscall: 'write' });
      let calls = 0;
      const reading = store.read(key, { start: 0, end: LARGE_BYTES - 1 }, async () => {
        calls += 1;
        await turns(3);
        if (calls === 2) throw reason;
      });
      await expect(reading).rejects.toBe(reason);
      await turns(10);
      expect(calls).toBe(2);
    });

    it('stops when the sink throws at once', async () => {
      const reason = new Error('at once');
      const sink = (): Promise<void> => {
        throw reason;
      };
      await expect(store.read(key, { start: 0, end: LARGE_BYTES - 1 }, sink)).rejects.toBe(reason);
      await expect(store.read(key, { start: 0, end: 9 }, sink)).rejects.toBe(reason);
    });

    it('serves many readers beside writers', async () => {
      const work = Array.from({ length: 12 }, (_, index) => [
        readsBack(index * 100_003),
        writesBeside(store, index),
      ]).flat();
      expect(await Promise.all(work)).toEqual(work.map(() => true));
    });

    it('rejects for an object that is not there, before it calls the sink', async () => {
      let calls = 0;
      const sink = async (): Promise<void> => {
        calls += 1;
      };
      await expect(store.read(store.newKey(), { start: 0, end: 9 }, sink)).rejects.toThrow(ObjectMissing);
      expect(calls).toBe(0);
    });

    it('rejects for a range beyond the end, never short of it silently', async () => {
      const beyond = { start: LARGE_BYTES - 2_000_000, end: LARGE_BYTES };
      const feeding = store.read(key, beyond, async () => undefined);
      await expect(feeding).rejects.toMatchObject({ name: 'StoreUnavailable', retryable: true });
      const small = store.read(key, { start: LARGE_BYTES - 1, end: LARGE_BYTES }, async () => undefined);
      await expect(small).rejects.toThrow(ObjectShort);
      const behind = store.read(key, { start: LARGE_BYTES, end: LARGE_BYTES }, async () => undefined);
      await expect(behind).rejects.toThrow(ObjectShort);
    });

    async function readsBack(start: number): Promise<boolean> {
      const found = await readRange(store, key, { start, end: start + 4_000_000 });
      return found.equals(bytes.subarray(start, start + 4_000_001));
    }
  });
}

async function writesBeside(store: BlobStore, seed: number): Promise<boolean> {
  const content = Buffer.alloc(2_222_222, `${seed}-`);
  const written = await put(store, cut(content, 99_991));
  const isEqual = (await readAll(store, written)).equals(content);
  await store.remove(written);
  return isEqual;
}
