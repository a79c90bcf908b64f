import { ObjectMissing } from '@entrepot/content';
import type { ListedObject, ObjectKey, WalkedStore } from '@entrepot/content';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LARGE_BYTES, START, finished, listed, put, readAll, recordOf, suspended } from './blob-store-trial.suite.js';

/** One store to try, empty and used by nobody else. */
export interface WalkedStoreTrial {
  readonly store: WalkedStore;
  close(): Promise<void>;
}

/** The promises of the port `WalkedStore`, tried on one implementation. */
export function walkedStoreSuite(name: string, open: () => Promise<WalkedStoreTrial>): void {
  describe(`walked store: ${name}`, () => {
    let trial: WalkedStoreTrial;
    let store: WalkedStore;

    beforeAll(async () => {
      trial = await open();
      store = trial.store;
    });

    afterAll(async () => trial.close());

    it('lists in the order of keys, behind any of them', async () => {
      const keys = await Promise.all(Array.from({ length: 12 }, () => put(store, [Buffer.from('x')])));
      const sorted = keys.toSorted();
      expect((await listed(store)).map(({ key }) => key)).toEqual(sorted);
      for (const at of [0, 5, 11]) {
        const found: ObjectKey[] = [];
        for await (const { key } of store.list({ after: sorted[at] as ObjectKey })) found.push(key);
        expect(found).toEqual(sorted.slice(at + 1));
      }
      await Promise.all(keys.map((key) => store.remove(key)));
    });

    it('shows what there is of one upload, and of no other', async () => {
      const other = await put(store, [Buffer.from('other')]);
      const upload = store.newKey();
      const state = await suspended(store, upload, 'some');
      for (const { key, sizeBytes } of await ofUpload(upload)) {
        expect([store.uploadOf(key), sizeBytes]).toEqual([upload, 4]);
      }
      const object = await finished(store, upload, state, ' more');
      const whole = (await ofUpload(upload)).find(({ key }) => key === object);
      expect(whole).toMatchObject({ sizeBytes: 9, hasRecord: true });
      await store.remove(upload);
      expect(await ofUpload(upload)).toEqual([]);
      expect((await listed(store)).map(({ key }) => key)).toEqual([other]);
      await store.remove(other);
    });

    it('knows an upload by any of its keys', async () => {
      const upload = store.newKey();
      const object = await finished(store, upload, START, 'whole');
      for (const key of [upload, object, store.residueOf(object)]) expect(store.uploadOf(key)).toBe(upload);
      await store.remove(upload);
    });

    it('removes all but the object by the key of its residue', async () => {
      const upload = store.newKey();
      const state = await suspended(store, upload, Buffer.alloc(LARGE_BYTES));
      const object = await finished(store, upload, state, 'end');
      await store.remove(store.residueOf(object));
      expect((await ofUpload(upload)).map(({ key }) => key)).toEqual([object]);
      expect(await readAll(store, object)).toHaveLength(LARGE_BYTES + 3);
      await store.remove(object);
    });

    it('tells the time that objects are stamped by', async () => {
      const before = await store.now();
      const object = await put(store, [Buffer.from('stamped')]);
      const [found] = await listed(store);
      const after = await store.now();
      expect(found?.modifiedAt.getTime()).toBeGreaterThanOrEqual(before.getTime());
      expect(found?.modifiedAt.getTime()).toBeLessThanOrEqual(after.getTime());
      await store.remove(object);
    });

    it('writes records anew, for objects that are there', async () => {
      const object = await put(store, [Buffer.from('five!')]);
      await store.writeRecord(object, recordOf(5, 'sha256:other'));
      expect(await store.record(object)).toEqual(recordOf(5, 'sha256:other'));
      await store.remove(object);
      await expect(store.writeRecord(object, recordOf(5))).rejects.toThrow(ObjectMissing);
      expect(await listed(store)).toEqual([]);
    });

    async function ofUpload(upload: ObjectKey): Promise<ListedObject[]> {
      const found: ListedObject[] = [];
      for await (const each of store.listUpload(upload)) found.push(each);
      return found;
    }
  });
}
