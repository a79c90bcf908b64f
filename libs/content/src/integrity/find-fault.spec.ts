import { createHash, randomBytes } from 'node:crypto';
import { MemoryBlobStore } from '@entrepot/blob-store';
import {
  StoreUnavailable,
  SuspectObjects,
  findFault,
  findSizeFault,
  type BlobFault,
  type ExpectedBlob,
  type ObjectKey,
  type Quarantine,
} from '@entrepot/content';
import { put } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { beforeEach, describe, expect, it } from 'vitest';

const BYTES = randomBytes(300_000);

/** A store whose every answer can be spoilt on its way. */
class SpoiltStore extends MemoryBlobStore {
  reads = 0;
  spoil: (chunk: Uint8Array, read: number) => Uint8Array = (chunk) => chunk;

  override async read(...[key, range, sink]: Parameters<MemoryBlobStore['read']>): Promise<void> {
    const read = (this.reads += 1);
    let isFirst = true;
    await super.read(key, range, (chunk) => {
      const sent = isFirst ? this.spoil(Buffer.from(chunk), read) : chunk;
      isFirst = false;
      return sink(sent);
    });
  }
}

let store: SpoiltStore;

beforeEach(() => {
  store = new SpoiltStore();
});

function flipped(bytes: Uint8Array, position: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[position] = (copy[position] ?? 0) ^ 1;
  return copy;
}

/** A blob of BYTES whose object is what is given. */
async function stored(object: Buffer): Promise<ExpectedBlob> {
  const digest = `sha256:${createHash('sha256').update(BYTES).digest('hex')}` as Digest;
  return { objectKey: await put(store, [object]), digest, sizeBytes: BYTES.length };
}

describe('the fault of an object', () => {
  it('is none where its bytes are right', async () => {
    expect(await findFault({ store }, await stored(BYTES))).toBeUndefined();
    expect(await findSizeFault({ store }, await stored(BYTES))).toBeUndefined();
  });

  it.each([
    ['short', BYTES.subarray(1)],
    ['short', Buffer.alloc(0)],
    ['corrupt', Buffer.concat([BYTES, Buffer.from('!')])],
  ])('is %s by its size alone', async (fault, object) => {
    expect(await findSizeFault({ store }, await stored(object))).toBe(fault);
    expect(await findFault({ store }, await stored(object))).toBe(fault);
  });

  it('is that it is missing', async () => {
    const blob = await stored(BYTES);
    await store.remove(blob.objectKey);
    expect(await findSizeFault({ store }, blob)).toBe('missing');
    expect(await findFault({ store }, blob)).toBe('missing');
  });

  it('is corruption where a second look finds the same wrong bytes', async () => {
    expect(await findFault({ store }, await stored(flipped(BYTES, 150_000)))).toBe('corrupt');
    expect(store.reads).toBe(3);
  });

  it('is none where the bytes were spoilt on their way once', async () => {
    store.spoil = (chunk, read) => (read === 1 ? flipped(chunk, 7) : chunk);
    expect(await findFault({ store }, await stored(BYTES))).toBeUndefined();
  });

  it('is not known where every answer is spoilt in the same place', async () => {
    store.spoil = (chunk) => flipped(chunk, 7);
    await expect(findFault({ store }, await stored(BYTES))).rejects.toThrow(StoreUnavailable);
  });

  it('is not known where a store says that it has no object, and gives it', async () => {
    const blob = await stored(BYTES);
    store.size = async () => undefined;
    expect(await findSizeFault({ store }, blob)).toBeUndefined();
  });
});

describe('a suspect object', () => {
  const found: BlobFault[] = [];
  const undecided: unknown[] = [];
  const quarantine: Quarantine = {
    quarantine: async (_digest: Digest, _key: ObjectKey, fault: BlobFault) => found.push(fault) > 0,
    release: async () => false,
  };
  const suspects = (): SuspectObjects =>
    new SuspectObjects({
      store,
      quarantine,
      onQuarantined: () => undefined,
      onUndecided: (_blob, error) => undecided.push(error),
    });

  beforeEach(() => {
    found.length = 0;
    undecided.length = 0;
  });

  it('is looked at once, however many reads of it fail', async () => {
    const blob = await stored(BYTES.subarray(1));
    const room = suspects();
    await Promise.all([room.measure(blob), room.measure(blob), room.measure(blob)]);
    expect(found).toEqual(['short']);
  });

  it('is read in the background', async () => {
    const blob = await stored(flipped(BYTES, 1));
    const room = suspects();
    room.reread(blob);
    room.reread(await stored(BYTES));
    await expect.poll(() => found).toEqual(['corrupt']);
    await room.stop();
    expect(undecided).toEqual([]);
  });

  it('is left alone where the store does not answer', async () => {
    const blob = await stored(BYTES);
    store.size = async () => Promise.reject(new StoreUnavailable('away'));
    await suspects().measure(blob);
    expect(found).toEqual([]);
    expect(undecided).toHaveLength(1);
  });

  it('is not looked at any more once the process ends', async () => {
    const room = suspects();
    await room.stop();
    await room.measure(await stored(BYTES.subarray(1)));
    expect([found, undecided]).toEqual([[], []]);
  });
});
