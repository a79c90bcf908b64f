import { randomBytes } from 'node:crypto';
import { ObjectMissing, type ObjectKey, type ObjectWriter, type WriteFrom } from '@entrepot/content';
import { START, completed, readAll, recordOf } from '@entrepot/content/ports/blob-store-trial.suite';
import {
  S3_SERVERS,
  isS3ServerSkipped,
  newTestBucket,
  type S3Bucket as TestBucket,
} from '@entrepot/testkit/test-bucket';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { PartPlan } from './part-plan.js';
import type { S3BlobStore } from './s3-blob-store.js';
import { MIB, openTestStore } from './s3-trial.suite.js';

const PART_BYTES = 5 * MIB;
const plan = [{ count: 100, sizeBytes: PART_BYTES }];

/** Swift in Python takes its time for some ten MiB, the more so on a busy machine. */
const SLOW_SERVERS = { timeout: 180_000 };

/**
 * Two writers of one upload in two processes: the former one lost its lease and does not know it, so that its requests
 * arrive at any time. Nothing but the store itself keeps them apart.
 */
describe.each(S3_SERVERS.filter((kind) => !isS3ServerSkipped(kind)))('a fenced writer on %s', SLOW_SERVERS, (kind) => {
  let place: TestBucket;
  let store: S3BlobStore;
  let key: ObjectKey;
  let former: ObjectWriter;
  /** What the row of the upload says when the lease changes hands. */
  let noted: WriteFrom;
  const head = randomBytes(2 * PART_BYTES + 11);
  const rest = randomBytes(PART_BYTES + 7);
  const whole = Buffer.concat([head, rest]);

  beforeAll(async () => {
    place = await newTestBucket(kind);
    store = openProcess();
  });

  /** Two parts and a rest were noted; the former writer goes on from there. */
  beforeEach(async () => {
    key = store.newKey();
    const first = await openProcess().write(key, START);
    await first.write(head);
    noted = { ...(await first.suspend()), wasAbandoned: true };
    former = await sharing();
  });

  it('stores parts before us: none of them is ours', async () => {
    await former.write(Buffer.alloc(2 * PART_BYTES, 'former'));
    await former.suspend();
    const object = await completed(await written(noted));
    expect((await readAll(store, object)).equals(whole)).toBe(true);
  });

  it('stores parts and a rest at last: none of them is ours', async () => {
    const writer = await written(noted);
    await former.write(Buffer.alloc(2 * PART_BYTES, 'former'));
    await Promise.allSettled([former.suspend()]);
    const object = await completed(writer);
    expect((await readAll(store, object)).equals(whole)).toBe(true);
  });

  it('completes before us: our bytes follow those that were noted, and are read back', async () => {
    await former.write(Buffer.from('former'));
    const theirs = await completed(former);
    const writer = await written(noted);
    expect(writer.isDoubtful).toBe(true);
    const found: Buffer[] = [];
    await writer.readBack(async (chunk) => void found.push(Buffer.from(chunk)));
    expect(Buffer.concat(found).equals(whole)).toBe(true);
    const ours = await completed(writer);
    expect(ours).not.toBe(theirs);
    expect((await readAll(store, ours)).equals(whole)).toBe(true);
  });

  it('completes while we write, or after us: nothing of ours changes', async () => {
    const other = await sharing();
    const writer = await written(noted);
    await former.write(Buffer.from('former'));
    await Promise.allSettled([former.complete(recordOf(1))]);
    const object = await completed(writer);
    await other.write(Buffer.alloc(PART_BYTES, 'other'));
    await Promise.allSettled([other.complete(recordOf(1))]);
    expect((await readAll(store, object)).equals(whole)).toBe(true);
    expect(await store.record(object)).toEqual(recordOf(whole.length));
  });

  it('stores a part over one of ours, although it said that it had ended: the upload is lost, not wrong', async () => {
    const writer = await store.write(key, { ...noted, wasAbandoned: false });
    await writer.write(rest);
    const later = await writer.suspend();
    await former.write(Buffer.alloc(PART_BYTES, 'former'));
    await former.suspend();
    await expect(store.write(key, later)).rejects.toThrow(ObjectMissing);
  });

  it('stores pieces of a part that is gathered apart: none of them is ours', async () => {
    const joined = [
      { count: 1, sizeBytes: PART_BYTES },
      { count: 9, sizeBytes: 4 * PART_BYTES, pieceBytes: PART_BYTES },
    ];
    const long = store.newKey();
    const longHead = randomBytes(3 * PART_BYTES + 11);
    const first = await openProcess(joined).write(long, START);
    await first.write(longHead);
    const state = await first.suspend();
    const late = await openProcess(joined).write(long, state);
    const writer = await openProcess(joined).write(long, { ...state, wasAbandoned: true });
    await Promise.allSettled([late.write(Buffer.alloc(2 * PART_BYTES, 'former'))]);
    await Promise.allSettled([late.complete(recordOf(1))]);
    await writer.write(rest);
    const object = await completed(writer);
    expect((await readAll(store, object)).equals(Buffer.concat([longHead, rest]))).toBe(true);
    await store.remove(long);
  });

  it('ended after it had joined pieces: they are gone on with', async () => {
    const joined = [
      { count: 1, sizeBytes: PART_BYTES },
      { count: 9, sizeBytes: 2 * PART_BYTES, pieceBytes: PART_BYTES },
    ];
    const long = store.newKey();
    const longHead = randomBytes(2 * PART_BYTES + 11);
    const first = await openProcess(joined).write(long, START);
    await first.write(longHead);
    const state = await first.suspend();
    const dead = await openProcess(joined).write(long, state);
    await dead.write(Buffer.alloc(2 * PART_BYTES, 'former'));
    const writer = await openProcess(joined).write(long, state);
    await writer.write(rest);
    const object = await completed(writer);
    expect((await readAll(store, object)).equals(Buffer.concat([longHead, rest]))).toBe(true);
    await store.remove(long);
  });

  it('stores a small object of its own beside ours', async () => {
    const small = store.newKey();
    const late = await openProcess().write(small, START);
    await late.write(Buffer.from('former'));
    const writer = await store.write(small, START);
    await writer.write(Buffer.from('ours'));
    const ours = await completed(writer);
    const theirs = await completed(late);
    expect(theirs).not.toBe(ours);
    expect(String(await readAll(store, ours))).toBe('ours');
    await store.remove(`${ours}-residue` as ObjectKey);
    expect(await store.size(theirs)).toBeUndefined();
    expect(await store.record(ours)).toEqual(recordOf(4));
  });

  function openProcess(parts: PartPlan = plan): S3BlobStore {
    return openTestStore(place, { plan: parts, prefix: 'blobs/' });
  }

  /** A writer of another process that adds to the parts of the state, as the first one after it does. */
  function sharing(): Promise<ObjectWriter> {
    return openProcess().write(key, { ...noted, wasAbandoned: false });
  }

  async function written(from: WriteFrom): Promise<ObjectWriter> {
    const writer = await store.write(key, from);
    await writer.write(rest);
    return writer;
  }
});
