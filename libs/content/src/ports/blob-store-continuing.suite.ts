import { randomBytes } from 'node:crypto';
import { ObjectMissing } from '@entrepot/content';
import type { BlobStore, DurableState } from '@entrepot/content';
import { beforeAll, describe, expect, it } from 'vitest';
import {
  LARGE_BYTES,
  START,
  completed,
  cut,
  finished,
  readAll,
  recordOf,
  suspended,
} from './blob-store-trial.suite.js';

/** The promises of writers that go on where others stopped. */
export function blobStoreContinuingSuite(current: () => BlobStore): void {
  let store: BlobStore;

  beforeAll(() => {
    store = current();
  });

  describe('continuing', () => {
    it.each([3_000_001, 1_000_001, 5 * 1024 * 1024])(
      'goes on where a suspended writer ended, in pieces of %i bytes',
      async (pieceBytes) => {
        const bytes = randomBytes(LARGE_BYTES);
        const key = store.newKey();
        let state = START;
        for (const piece of cut(bytes, pieceBytes)) {
          const writer = await store.write(key, state);
          expect(writer.offsetBytes).toBe(state.offsetBytes);
          await writer.write(piece);
          state = await writer.suspend();
          expect(state.offsetBytes).toBe(writer.offsetBytes);
        }
        expect(state.offsetBytes).toBe(bytes.length);
        const object = await completed(await store.write(key, state));
        expect((await readAll(store, object)).equals(bytes)).toBe(true);
        await store.remove(key);
      },
    );

    it('goes on from a state that was noted before the last one', async () => {
      for (const first of [Buffer.from('noted'), randomBytes(LARGE_BYTES)]) {
        const key = store.newKey();
        const noted = await suspended(store, key, first);
        for (const lost of [Buffer.from(', lost'), randomBytes(LARGE_BYTES)]) {
          const writer = await store.write(key, noted);
          await writer.write(lost);
          await writer.suspend();
        }
        const object = await finished(store, key, noted, '!');
        expect((await readAll(store, object)).equals(Buffer.concat([first, Buffer.from('!')]))).toBe(true);
        await store.remove(key);
      }
    });

    it('begins anew at 0, whatever was written before', async () => {
      const key = store.newKey();
      await suspended(store, key, 'the first attempt');
      await finished(store, key, START, 'the second attempt');
      const object = await finished(store, key, START, 'third');
      expect((await readAll(store, object)).toString()).toBe('third');
      await store.remove(key);
    });

    it('goes on from what was durable when a writer was abandoned', async () => {
      const bytes = randomBytes(3 * LARGE_BYTES);
      const key = store.newKey();
      const abandoned = await store.write(key, START);
      await abandoned.write(bytes);
      const state = await abandoned.flush();
      await abandoned.write(Buffer.alloc(LARGE_BYTES, 'x'));
      await abandoned.abandon();
      const object = await finished(store, key, state, ' again');
      const expected = Buffer.concat([bytes.subarray(0, state.offsetBytes), Buffer.from(' again')]);
      expect((await readAll(store, object)).equals(expected)).toBe(true);
      await store.remove(key);
    });

    it('completes again what was completed and not noted', async () => {
      for (const bytes of [Buffer.from('whole'), randomBytes(LARGE_BYTES)]) {
        const key = store.newKey();
        const state = await suspended(store, key, bytes);
        await completed(await store.write(key, state));
        const writer = await store.write(key, state);
        const { key: object } = await writer.complete(recordOf(bytes.length, 'sha256:second'));
        expect((await readAll(store, object)).equals(bytes)).toBe(true);
        expect(await store.record(object)).toEqual(recordOf(bytes.length, 'sha256:second'));
        await store.remove(key);
      }
    });

    it('goes on with other bytes where a completion was not noted', async () => {
      for (const first of [Buffer.from('first'), randomBytes(LARGE_BYTES)]) {
        const key = store.newKey();
        const state = await suspended(store, key, first);
        await finished(store, key, state, ' and never noted');
        const other = randomBytes(LARGE_BYTES);
        const object = await finished(store, key, state, other);
        expect((await readAll(store, object)).equals(Buffer.concat([first, other]))).toBe(true);
        await store.remove(key);
      }
    });

    it('goes on from a state whose bytes were read back for nothing', async () => {
      for (const first of [Buffer.from('first'), randomBytes(LARGE_BYTES)]) {
        const key = store.newKey();
        const state = await suspended(store, key, first);
        const refused = await store.write(key, state);
        await refused.write(Buffer.from('not what the digest says'));
        await refused.readBack(async () => undefined);
        await refused.abandon();
        const object = await finished(store, key, state, '!');
        expect((await readAll(store, object)).equals(Buffer.concat([first, Buffer.from('!')]))).toBe(true);
        await store.remove(key);
      }
    });

    it('leaves only the object once the residue is removed', async () => {
      for (const first of [Buffer.from('first'), randomBytes(LARGE_BYTES)]) {
        const key = store.newKey();
        const state = await suspended(store, key, first);
        const writer = await store.write(key, state);
        await writer.write(Buffer.from('last'));
        const { key: object, residue } = await writer.complete(recordOf(writer.offsetBytes));
        if (residue !== undefined) await store.remove(residue);
        const found = [];
        for await (const each of store.list()) found.push(each.key);
        expect(found).toEqual([object]);
        expect(await store.record(object)).toEqual(recordOf(first.length + 4));
        expect((await readAll(store, object)).length).toBe(first.length + 4);
        await store.remove(object);
      }
    });

    it('refuses an object that is not there, or not what the state says', async () => {
      const key = store.newKey();
      const four = await suspended(store, key, 'four');
      const longer: DurableState = { ...four, offsetBytes: 5 };
      await expect(store.write(key, longer)).rejects.toThrow(ObjectMissing);
      await store.remove(key);
      await expect(store.write(key, four)).rejects.toThrow(ObjectMissing);
      await expect(store.write(store.newKey(), four)).rejects.toThrow(ObjectMissing);
      expect(await store.size(key)).toBeUndefined();
    });
  });
}
