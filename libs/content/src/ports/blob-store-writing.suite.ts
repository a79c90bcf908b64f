import { randomBytes } from 'node:crypto';
import { ObjectMissing, StoreUnavailable } from '@entrepot/content';
import type { BlobStore } from '@entrepot/content';
import { beforeAll, describe, expect, it } from 'vitest';
import { LARGE_BYTES, ODD_CHUNK_BYTES, cut, put, readAll, recordOf, suspended } from './blob-store-trial.suite.js';

/** The promises of writers, suspended, abandoned and superseded ones included. */
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
      const key = store.newKey();
      const writer = await store.write(key, 0);
      const chunk = Buffer.alloc(300_000);
      for (const letter of 'abcdefgh') {
        chunk.fill(letter);
        await writer.write(chunk);
      }
      await writer.complete(recordOf(8 * chunk.length));
      const expected = Buffer.concat([...'abcdefgh'].map((letter) => Buffer.alloc(chunk.length, letter)));
      expect((await readAll(store, key)).equals(expected)).toBe(true);
      await store.remove(key);
    });

    it('counts the bytes it accepted', async () => {
      const key = store.newKey();
      const writer = await store.write(key, 0);
      expect(writer.offsetBytes).toBe(0);
      await writer.write(Buffer.alloc(10));
      expect(writer.offsetBytes).toBe(10);
      await writer.write(Buffer.alloc(LARGE_BYTES));
      expect(writer.offsetBytes).toBe(10 + LARGE_BYTES);
      await writer.abandon();
      await store.remove(key);
    });

    it('shows readers what was flushed, and goes on', async () => {
      const key = store.newKey();
      const writer = await store.write(key, 0);
      await writer.write(Buffer.from('durable'));
      expect(await writer.flush()).toBe(7);
      expect(await store.size(key)).toBe(7);
      expect((await readAll(store, key)).toString()).toBe('durable');
      await writer.write(Buffer.from(' and more'));
      expect(await writer.flush()).toBe(16);
      expect((await readAll(store, key)).toString()).toBe('durable and more');
      await writer.complete(recordOf(16));
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

  describe('continuing', () => {
    it('goes on where a suspended writer ended', async () => {
      const bytes = randomBytes(LARGE_BYTES);
      const key = store.newKey();
      let offsetBytes = 0;
      for (const part of cut(bytes, 3_000_001)) {
        const writer = await store.write(key, offsetBytes);
        expect(writer.offsetBytes).toBe(offsetBytes);
        await writer.write(part);
        offsetBytes = await writer.suspend();
      }
      expect(offsetBytes).toBe(bytes.length);
      const last = await store.write(key, offsetBytes);
      await last.complete(recordOf(offsetBytes));
      expect((await readAll(store, key)).equals(bytes)).toBe(true);
      await store.remove(key);
    });

    it('cuts off what lies beyond the offset', async () => {
      const key = store.newKey();
      await suspended(store, key, 'keep this, not that');
      const writer = await store.write(key, 9);
      await writer.write(Buffer.from('!'));
      await writer.complete(recordOf(10));
      expect((await readAll(store, key)).toString()).toBe('keep this!');
      await store.remove(key);
    });

    it('empties an object that is opened at 0 again', async () => {
      const key = await put(store, [Buffer.from('the first attempt')]);
      const writer = await store.write(key, 0);
      expect(await store.record(key)).toBeUndefined();
      await writer.write(Buffer.from('second'));
      await writer.complete(recordOf(6));
      expect((await readAll(store, key)).toString()).toBe('second');
      await store.remove(key);
    });

    it('goes on from what was durable when a writer was abandoned', async () => {
      const key = store.newKey();
      const abandoned = await store.write(key, 0);
      await abandoned.write(Buffer.from('flushed'));
      const offsetBytes = await abandoned.flush();
      await abandoned.write(Buffer.alloc(LARGE_BYTES, 'x'));
      await abandoned.abandon();
      const writer = await store.write(key, offsetBytes);
      await writer.write(Buffer.from(' again'));
      await writer.complete(recordOf(13));
      expect((await readAll(store, key)).toString()).toBe('flushed again');
      await store.remove(key);
    });

    it('completes again an object whose completion was not noted', async () => {
      const key = await put(store, [Buffer.from('whole')]);
      const writer = await store.write(key, 5);
      await writer.complete(recordOf(5, 'sha256:second'));
      expect((await readAll(store, key)).toString()).toBe('whole');
      expect(await store.record(key)).toEqual(recordOf(5, 'sha256:second'));
      await store.remove(key);
    });

    it('refuses an object that is not there or shorter', async () => {
      const key = store.newKey();
      await expect(store.write(key, 1)).rejects.toThrow(ObjectMissing);
      expect(await store.size(key)).toBeUndefined();
      await suspended(store, key, 'four');
      await expect(store.write(key, 5)).rejects.toThrow(ObjectMissing);
      expect((await readAll(store, key)).toString()).toBe('four');
      await store.remove(key);
    });
  });

  describe('a closed writer', () => {
    it('takes nothing any more', async () => {
      const key = store.newKey();
      const writer = await store.write(key, 0);
      await writer.suspend();
      await expect(writer.write(Buffer.from('late'))).rejects.toThrow(StoreUnavailable);
      await expect(writer.flush()).rejects.toThrow(StoreUnavailable);
      await expect(writer.suspend()).rejects.toThrow(StoreUnavailable);
      await expect(writer.complete(recordOf(4))).rejects.toThrow(StoreUnavailable);
      await writer.abandon();
      expect(await store.size(key)).toBe(0);
      await store.remove(key);
    });

    it('is one whose object was opened anew: none of its bytes reach the object', async () => {
      const key = store.newKey();
      const stale = await store.write(key, 0);
      await stale.write(Buffer.alloc(1000, 'x'));
      const offsetBytes = await stale.flush();
      await stale.write(Buffer.alloc(LARGE_BYTES, 'x'));
      const writer = await store.write(key, offsetBytes);
      await writer.write(Buffer.alloc(1000, 'y'));
      await expect(stale.flush()).rejects.toThrow(StoreUnavailable);
      await writer.complete(recordOf(2000));
      expect((await readAll(store, key)).toString()).toBe('x'.repeat(1000) + 'y'.repeat(1000));
      await store.remove(key);
    });

    it('is one whose object was removed', async () => {
      const key = store.newKey();
      const writer = await store.write(key, 0);
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
      await suspended(store, key, 'bytes');
      expect(await store.record(key)).toBeUndefined();
      const writer = await store.write(key, 5);
      await writer.complete(recordOf(5));
      expect(await store.record(key)).toEqual(recordOf(5));
      await store.remove(key);
      expect(await store.record(key)).toBeUndefined();
    });

    it('go when bytes of the object are cut off', async () => {
      const key = await put(store, [Buffer.from('complete')]);
      const writer = await store.write(key, 4);
      await writer.abandon();
      expect(await store.record(key)).toBeUndefined();
      await store.remove(key);
    });
  });
}
