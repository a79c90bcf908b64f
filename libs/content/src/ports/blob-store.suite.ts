import { randomBytes } from 'node:crypto';
import { ObjectMissing } from '@entrepot/content';
import type { BlobStore, ObjectKey } from '@entrepot/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blobStoreContinuingSuite } from './blob-store-continuing.suite.js';
import { blobStoreReadingSuite } from './blob-store-reading.suite.js';
import { LARGE_BYTES, listed, put, readAll, suspended } from './blob-store-trial.suite.js';
import type { BlobStoreTrial } from './blob-store-trial.suite.js';
import { blobStoreWritingSuite } from './blob-store-writing.suite.js';

/** Every promise of the port `BlobStore`, tried on one implementation. */
export function blobStoreSuite(name: string, open: () => Promise<BlobStoreTrial>): void {
  describe(`blob store: ${name}`, () => {
    let trial: BlobStoreTrial;
    let store: BlobStore;

    beforeAll(async () => {
      trial = await open();
      store = trial.store;
    });

    afterAll(async () => trial.close());

    describe('keys', () => {
      it('are never made twice', () => {
        const keys = Array.from({ length: 10_000 }, () => store.newKey());
        expect(new Set(keys).size).toBe(keys.length);
      });
    });

    blobStoreWritingSuite(() => store);
    blobStoreContinuingSuite(() => store);
    blobStoreReadingSuite(() => store);

    describe('removing', () => {
      it('succeeds as often as it is asked, complete or not', async () => {
        const complete = await put(store, [Buffer.from('complete')]);
        const partial = store.newKey();
        await suspended(store, partial, 'partial');
        for (const key of [complete, partial, store.newKey()]) {
          await store.remove(key);
          await store.remove(key);
          expect(await store.size(key)).toBeUndefined();
          await expect(readAll(store, key)).rejects.toThrow(ObjectMissing);
        }
      });

      it('of many takes what is there, complete or not, and says what it could not take', async () => {
        const complete = await Promise.all(Array.from({ length: 30 }, () => put(store, [Buffer.from('complete')])));
        const kept = await put(store, [Buffer.from('kept')]);
        const partial = store.newKey();
        await suspended(store, partial, 'partial');
        const foreign = 'no key of this store/..' as ObjectKey;
        const failures = await store.removeMany([
          ...complete,
          partial,
          store.newKey(),
          foreign,
          ...complete.slice(0, 2),
        ]);
        expect([...failures.keys()].filter((key) => key !== foreign)).toEqual([]);
        expect((await listed(store)).map((each) => each.key)).toEqual([kept]);
        expect(await store.removeMany([kept])).toEqual(new Map());
        expect(await store.removeMany([])).toEqual(new Map());
      });

      it('never makes an open reader see wrong bytes', async () => {
        const bytes = randomBytes(LARGE_BYTES);
        const key = await put(store, [bytes]);
        const found: Buffer[] = [];
        const reading = store.read(key, { start: 0, end: LARGE_BYTES - 1 }, async (chunk) => {
          if (found.length === 0) await store.remove(key);
          found.push(Buffer.from(chunk));
        });
        const [outcome] = await Promise.allSettled([reading]);
        const seen = Buffer.concat(found);
        expect(seen.equals(bytes.subarray(0, seen.length))).toBe(true);
        expect(seen).toHaveLength(outcome.status === 'fulfilled' ? bytes.length : seen.length);
      });
    });

    describe('listing', () => {
      it('shows every object with size and time, unfinished ones too, and no records', async () => {
        const started = Date.now();
        const complete = await put(store, [Buffer.alloc(5)]);
        const partial = store.newKey();
        await suspended(store, partial, 'partial');
        const found = await listed(store);
        expect(found.map((each) => each.sizeBytes).sort()).toEqual([5, 7]);
        expect(found.find((each) => each.key === complete)?.sizeBytes).toBe(5);
        // Others than this clock stamp them, and coarser ones.
        for (const { modifiedAt } of found) expect(modifiedAt.getTime()).toBeGreaterThan(started - 5000);
        for (const { key } of found) await store.remove(key);
        await expect(store.write(partial, { offsetBytes: 7 })).rejects.toThrow(ObjectMissing);
        expect(await listed(store)).toEqual([]);
      });

      it('goes on where one page ends', async () => {
        const keys = await Promise.all(Array.from({ length: 24 }, () => put(store, [Buffer.from('x')])));
        expect((await listed(store)).map((each) => each.key).sort()).toEqual([...keys].sort());
        await Promise.all(keys.map((key) => store.remove(key)));
      });
    });

    describe('checking', () => {
      it('resolves for a store that works', async () => {
        await expect(store.check()).resolves.toBeUndefined();
      });
    });

    describe('afterwards', () => {
      it('holds nothing that was removed', async () => {
        expect(await listed(store)).toEqual([]);
        expect(await trial.leftovers()).toEqual([]);
      });
    });
  });
}
