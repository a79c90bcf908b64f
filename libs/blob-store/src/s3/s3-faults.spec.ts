import { randomBytes } from 'node:crypto';
import { StoreUnavailable, type ObjectKey } from '@entrepot/content';
import { START, completed, put, readAll, readRange } from '@entrepot/content/ports/blob-store-trial.suite';
import { startFaultProxy, type Fault, type FaultProxy, type FaultRule } from '@entrepot/testkit/fault-proxy';
import { isS3ServerSkipped, newTestBucket, type S3Bucket as TestBucket } from '@entrepot/testkit/test-bucket';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { S3BlobStore } from './s3-blob-store.js';
import { MIB, openTestStore } from './s3-trial.suite.js';

const PART_BYTES = 5 * MIB;
const timeouts = { connectMs: 1000, idleMs: 1500 };
const slowDown: Fault = { kind: 'answer', status: 503, code: 'SlowDown' };
const COMPLETION = { method: 'POST', url: /[?&]uploadId=/ };

describe.skipIf(isS3ServerSkipped('versitygw'))('a store on S3 that fails now and then', () => {
  let place: TestBucket;
  let proxy: FaultProxy;
  let store: S3BlobStore;
  let stored: ObjectKey;
  const bytes = randomBytes(2 * PART_BYTES + 333);

  beforeAll(async () => {
    place = await newTestBucket('versitygw');
    proxy = await startFaultProxy(place.endpoint);
    store = openTestStore(
      { ...place, endpoint: proxy.origin },
      { plan: [{ count: 9, sizeBytes: PART_BYTES }], timeouts },
    );
    stored = await put(store, [bytes]);
  });

  afterEach(() => proxy.clear());
  afterAll(() => proxy.close());

  it.each<[string, FaultRule]>([
    ['503 SlowDown', { fault: slowDown, everyNth: 2 }],
    [
      'resets in the body of a part',
      { fault: { kind: 'reset', body: 'request', afterBytes: 99_999 }, times: 2, url: /partNumber/ },
    ],
    [
      'a bit that turned over',
      { fault: { kind: 'flip', body: 'request', atByte: 77_777 }, times: 2, url: /partNumber/ },
    ],
    [
      'a body that is not taken any more',
      { fault: { kind: 'stall', body: 'request', afterBytes: 99_999 }, times: 1, url: /partNumber/ },
    ],
    ['a completion whose answer is lost', { fault: { kind: 'dropAnswer' }, ...COMPLETION }],
    [
      'a completion that fails after it began to answer',
      { fault: { kind: 'answer', status: 200, code: 'InternalError' }, times: 2, ...COMPLETION },
    ],
    ['a completion that is said to be of no upload', { fault: { kind: 'dropAnswer' }, times: 1, ...COMPLETION }],
  ])('writes in spite of %s', async (_name, rule) => {
    proxy.add(rule);
    const writer = await store.write(store.newKey(), START);
    await writer.write(bytes);
    const key = await completed(writer);
    proxy.clear();
    expect((await readAll(store, key)).equals(bytes)).toBe(true);
  });

  it.each<[string, Fault]>([
    ['a reset', { kind: 'reset', body: 'answer', afterBytes: 70_000 }],
    ['an early end', { kind: 'truncate', afterBytes: 70_000 }],
    ['a silence', { kind: 'stall', body: 'answer', afterBytes: 70_000 }],
    ['a length that is too large', { kind: 'length', deltaBytes: 10 }],
    ['a length that is too small', { kind: 'length', deltaBytes: -10 }],
    ['503 SlowDown', slowDown],
  ])('reads on after %s', async (_name, fault) => {
    proxy.add({ fault, method: 'GET', times: 2 });
    const range = { start: 5, end: bytes.length - 5 };
    expect((await readRange(store, stored, range)).equals(bytes.subarray(5, -4))).toBe(true);
  });

  it('says so when an answer is never whole', async () => {
    proxy.add({ fault: { kind: 'length', deltaBytes: -10 }, method: 'GET' });
    const reading = store.read(stored, { start: 0, end: 99 }, async () => undefined);
    await expect(reading).rejects.toThrow(StoreUnavailable);
  });

  it('closes its request when nobody reads any more', async () => {
    proxy.add({ fault: { kind: 'throttle', bytesPerSecond: 4 * MIB }, method: 'GET' });
    const reason = new Error('the client went away');
    const reading = store.read(stored, { start: 0, end: bytes.length - 1 }, () => Promise.reject(reason));
    await expect(reading).rejects.toBe(reason);
  });

  it('waits for a slow sink as long as it takes', async () => {
    let seenBytes = 0;
    await store.read(stored, { start: 0, end: PART_BYTES }, async (chunk) => {
      if (seenBytes === 0) await new Promise((resolve) => setTimeout(resolve, 2 * timeouts.idleMs));
      seenBytes += chunk.length;
    });
    expect(seenBytes).toBe(PART_BYTES + 1);
  });

  it('leaves no parts of what was abandoned before anybody knew of it', async () => {
    const aborted = { method: 'DELETE', url: /uploadId/ };
    const before = proxy.count(aborted);
    const writer = await store.write(store.newKey(), START);
    await writer.write(Buffer.alloc(PART_BYTES + 1));
    await writer.write(Buffer.alloc(PART_BYTES));
    await writer.abandon();
    await store.settle();
    expect(proxy.count(aborted)).toBe(before + 1);
  });
});

describe.skipIf(isS3ServerSkipped('versitygw'))('a store on S3 that is set up wrongly', () => {
  let place: TestBucket;

  beforeAll(async () => {
    place = await newTestBucket('versitygw');
  });

  it.each<[string, Partial<TestBucket>, RegExp]>([
    ['another secret', { secretKey: 'not-the-secret' }, /correct ENTREPOT_STORAGE_SECRET_KEY/],
    ['an unknown key', { accessKey: 'nobody' }, /check the key, its rights/],
    ['no such bucket', { bucket: 'nowhere' }, /correct ENTREPOT_STORAGE_BUCKET \(NoSuchBucket\)/],
    ['an endpoint where nothing is', { endpoint: 'http://127.0.0.1:1' }, /is the store running\? \(ECONNREFUSED\)/],
    ['another region', { region: 'mars-north-1' }, /correct ENTREPOT_STORAGE_REGION/],
  ])('says what to do: %s', async (_name, wrong, advice) => {
    const store = openTestStore({ ...place, ...wrong });
    const failure: unknown = await store.check().catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(StoreUnavailable);
    expect((failure as Error).message).toMatch(advice);
    expect(String((failure as Error).stack)).not.toContain(wrong.secretKey ?? place.secretKey);
  });
});
