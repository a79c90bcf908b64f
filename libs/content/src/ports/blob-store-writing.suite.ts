import { randomBytes } from 'node:crypto';
import { StoreUnavailable } from '@entrepot/content';
import type { BlobStore, ObjectWriter } from '@entrepot/content';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  LARGE_BYTES,
  ODD_CHUNK_BYTES,
  START,
  completed,
  cut,
  put,
  readAll,
  recordOf,
  suspended,
} from './blob-store-trial.suite.js';

/** The promises of a writer, a closed one included. */
export function blobStoreWritingSuite(current: () => BlobStore): void {
  let store: BlobStore;

  beforeAll(() => {
    store = current();
  });

  describe('writing', () => {
    it('keeps the bytes of chunks of any size in order', async () => {
      const bytes = randomBytes(LARGE_BYTES);
      const key = await put(store, cut(bytes, ODD_CHUNK_BYTES));
      expect((await readAll(store, key)).equals(bytes)).toBe(true);
      expect(await store.size(key)).toBe(bytes.length);
      await store.remove(key);
    });

    it('takes a large object in one chunk, and one in single bytes', async () => {
      const bytes = randomBytes(LARGE_BYTES);
      const whole = await put(store, [bytes]);
      const single = await put(store, cut(bytes.subarray(0, 3000), 1));
      expect((await readAll(store, whole)).equals(bytes)).toBe(true);
      expect((await readAll(store, single)).equals(bytes.subarray(0, 3000))).toBe(true);
      await store.remove(whole);
      await store.remove(single);
    });

    it('keeps an object without bytes', async () => {
      const key = await put(store, []);
      expect(await store.size(key)).toBe(0);
      expect(await readAll(store, key)).toHaveLength(0);
      await store.remove(key);
    });

    it('ignores empty chunks', async () => {
      const key = await put(store, [Buffer.alloc(0), Buffer.from('a'), Buffer.alloc(0)]);
      expect((await readAll(store, key)).toString()).toBe('a');
      await store.remove(key);
    });

    it('lets the caller reuse a chunk once it was taken', async () => {
      const writer = await store.write(store.newKey(), START);
      const chunk = Buffer.alloc(300_000);
      for (const letter of 'abcdefgh') {
        chunk.fill(letter);
        await writer.write(chunk);
      }
      const key = await completed(writer);
      const expected = Buffer.concat([...'abcdefgh'].map((letter) => Buffer.alloc(chunk.length, letter)));
      expect((await readAll(store, key)).equals(expected)).toBe(true);
      await store.remove(key);
    });

    it('counts the bytes it accepted', async () => {
      const key = store.newKey();
      const writer = await store.write(key, START);
      expect(writer.offsetBytes).toBe(0);
      await writer.write(Buffer.alloc(10));
      expect(writer.offsetBytes).toBe(10);
      await writer.write(Buffer.alloc(LARGE_BYTES));
      expect(writer.offsetBytes).toBe(10 + LARGE_BYTES);
      await writer.abandon();
      await store.remove(key);
    });

    it('reads back what was written, and completes it then', async () => {
      for (const bytes of [randomBytes(LARGE_BYTES), Buffer.from('few'), Buffer.alloc(0)]) {
        const key = store.newKey();
        const writer = await store.write(key, START);
        for (const chunk of cut(bytes, 1_000_003)) await writer.write(chunk);
        expect((await readBack(writer)).equals(bytes)).toBe(true);
        const object = await completed(writer);
        expect((await readAll(store, object)).equals(bytes)).toBe(true);
        await store.remove(key);
      }
    });

    it('stops reading back when the sink rejects, with its reason', async () => {
      const key = store.newKey();
      const writer = await store.write(key, START);
      await writer.write(randomBytes(LARGE_BYTES));
      const reason = new Error('enough');
      await expect(writer.readBack(() => Promise.reject(reason))).rejects.toBe(reason);
      await writer.abandon();
      await store.remove(key);
    });

    it('flushes on the way, and goes on', async () => {
      const bytes = randomBytes(LARGE_BYTES);
      const key = store.newKey();
      const writer = await store.write(key, START);
      for (const chunk of cut(bytes, 1_000_003)) {
        await writer.write(chunk);
        const { offsetBytes } = await writer.flush();
        expect(offsetBytes).toBeLessThanOrEqual(writer.offsetBytes);
      }
      const object = await completed(writer);
      expect((await readAll(store, object)).equals(bytes)).toBe(true);
      await store.remove(key);
    });

    it('writes many objects at a time', async () => {
      const contents = Array.from({ length: 40 }, (_, index) => randomBytes(index * 37_777));
      const keys = await Promise.all(contents.map((bytes) => put(store, cut(bytes, 50_001))));
      for (const [index, key] of keys.entries()) {
        expect((await readAll(store, key)).equals(contents[index] ?? Buffer.alloc(0))).toBe(true);
      }
      await Promise.all(keys.map((key) => store.remove(key)));
    });
  });

  describe('a closed writer', () => {
    it('takes nothing any more', async () => {
      const key = store.newKey();
      const writer = await store.write(key, START);
      const state = await writer.suspend();
      await expect(writer.write(Buffer.from('late'))).rejects.toThrow(StoreUnavailable);
      await expect(writer.flush()).rejects.toThrow(StoreUnavailable);
      await expect(writer.suspend()).rejects.toThrow(StoreUnavailable);
      await expect(writer.readBack(async () => undefined)).rejects.toThrow(StoreUnavailable);
      await expect(writer.complete(recordOf(4))).rejects.toThrow(StoreUnavailable);
      await writer.abandon();
      const object = await completed(await store.write(key, state));
      expect(await store.size(object)).toBe(0);
      await store.remove(key);
    });

    it('is one whose object was opened anew: none of its bytes reach the object', async () => {
      const key = store.newKey();
      const stale = await store.write(key, START);
      await stale.write(Buffer.alloc(LARGE_BYTES, 'x'));
      const state = await stale.flush();
      await stale.write(Buffer.alloc(LARGE_BYTES, 'x'));
      const writer = await store.write(key, state);
      await writer.write(Buffer.alloc(1000, 'y'));
      await expect(stale.suspend()).rejects.toThrow(StoreUnavailable);
      const object = await completed(writer);
      const expected = Buffer.concat([Buffer.alloc(state.offsetBytes, 'x'), Buffer.alloc(1000, 'y')]);
      expect((await readAll(store, object)).equals(expected)).toBe(true);
      await store.remove(key);
    });

    it('is one whose object was removed', async () => {
      const key = store.newKey();
      const writer = await store.write(key, START);
      await writer.write(Buffer.from('gone'));
      await store.remove(key);
      await expect(writer.complete(recordOf(4))).rejects.toThrow(StoreUnavailable);
      expect(await store.size(key)).toBeUndefined();
      expect(await store.record(key)).toBeUndefined();
    });
  });

  describe('records', () => {
    it('are left by completion, and by nothing else', async () => {
      const key = store.newKey();
      const state = await suspended(store, key, 'bytes');
      expect(await store.record(key)).toBeUndefined();
      const writer = await store.write(key, state);
      const object = await completed(writer);
      expect(await store.record(object)).toEqual(recordOf(5));
      await store.remove(object);
      expect(await store.record(object)).toBeUndefined();
    });
  });
}

async function readBack(writer: ObjectWriter): Promise<Buffer> {
  const found: Buffer[] = [];
  await writer.readBack(async (chunk) => {
    found.push(Buffer.from(chunk));
  });
  return Buffer.concat(found);
}
