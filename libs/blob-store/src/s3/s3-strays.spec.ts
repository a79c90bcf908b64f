import type { ListedObject, ObjectKey } from '@entrepot/content';
import { listed, put } from '@entrepot/content/ports/blob-store-trial.suite';
import {
  connectS3,
  isS3ServerSkipped,
  newTestBucket,
  type S3Bucket as TestBucket,
} from '@entrepot/testkit/test-bucket';
import { beforeEach, describe, expect, it } from 'vitest';
import { strayKey } from '../stray-key.js';
import { S3_KEY_PATTERN } from './object-names.js';
import type { S3BlobStore } from './s3-blob-store.js';
import { openTestStore } from './s3-trial.suite.js';

const MISPLACED = `s3-${'f'.repeat(32)}-${'0'.repeat(16)}`;
const LOST = `s3-aabb${'0'.repeat(28)}-${'0'.repeat(16)}`;
const STRAYS = [`objects/aa/bb/${MISPLACED}`, `objects/aa/bb/${LOST}.json`, 'objects/aa/bb/x', 'objects/aa/bb/x.json'];

describe.skipIf(isS3ServerSkipped('versitygw'))('objects of other names in a bucket', () => {
  let bucket: TestBucket;
  let store: S3BlobStore;
  let object: ObjectKey;

  beforeEach(async () => {
    bucket = await newTestBucket('versitygw');
    store = openTestStore(bucket, { prefix: 'below/' });
    object = await put(store, [Buffer.from('hello')]);
    for (const name of [...STRAYS, 'objects/zzz', 'other/x']) await putForeign(name);
  });

  it('are listed behind the objects, in order, with their names', async () => {
    const found = await listed(store);
    expect(found[0]).toMatchObject({ key: object, hasRecord: true });
    const strays = found.slice(1);
    expect(pathsOf(strays)).toEqual(STRAYS.toSorted());
    expect(strays.map(({ key }) => key)).toEqual(strays.map(({ key }) => key).toSorted());
    const behind: ListedObject[] = [];
    for await (const each of store.list({ after: strays[1]?.key as ObjectKey })) behind.push(each);
    expect(behind).toEqual(strays.slice(2));
  });

  it('have sizes, are shown and removed by their keys, each alone', async () => {
    const strays = (await listed(store)).slice(1);
    for (const [index, { key, stray }] of strays.entries()) {
      expect(key).toMatch(new RegExp(S3_KEY_PATTERN));
      expect(await store.size(key)).toBe(5);
      const upload = store.uploadOf(key);
      expect(upload === key).toBe(stray?.recordOf === undefined);
      const shown: ObjectKey[] = [];
      for await (const each of store.listUpload(upload)) shown.push(each.key);
      expect(shown).toEqual([key]);
      expect(await store.removeMany([key])).toEqual(new Map());
      expect((await listed(store)).slice(1)).toEqual(strays.slice(index + 1));
    }
  });

  it('are never what an object has, nor what lies elsewhere', async () => {
    for (const path of ['x', 'zz/zz/x', `aa/bb/${LOST}`]) {
      expect(() => store.uploadOf(strayKey('s3-', path))).toThrow(TypeError);
      await expect(store.remove(strayKey('s3-', path))).rejects.toThrow(TypeError);
    }
  });

  async function putForeign(name: string): Promise<void> {
    await connectS3(bucket).putObject(bucket.bucket, `below/${name}`, Buffer.from('stray'));
  }
});

function pathsOf(strays: readonly ListedObject[]): (string | undefined)[] {
  return strays.map(({ stray }) => stray?.path);
}
