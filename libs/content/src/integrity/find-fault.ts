import { createHash } from 'node:crypto';
import { digestAlgorithm } from '@entrepot/oci';
import { ObjectMissing, ObjectShort, StoreUnavailable, type BlobStore, type ReadRange } from '../ports/blob-store.js';
import type { BlobFault } from '../ports/quarantine.js';
import type { ExpectedBlob } from '../pull/read-verified.js';

/** How an object is read to be judged. */
export interface Reading {
  readonly store: BlobStore;
  readonly signal?: AbortSignal;
  /** Resolves when so many bytes may be read. */
  pace?(sizeBytes: number): Promise<void>;
}

/**
 * What is wrong with the object of a blob, as far as its size tells; undefined where nothing is. What seems to be missing is
 * read as well: a store whose bucket or volume is not there answers one question like the other. Rejects with
 * `StoreUnavailable` where the store does not say.
 */
export async function findSizeFault(reading: Reading, blob: ExpectedBlob): Promise<BlobFault | undefined> {
  const sizeBytes = await reading.store.size(blob.objectKey);
  if (sizeBytes === undefined) return faultOf(() => feed(reading, blob, { start: 0, end: 0 }, ignore));
  if (sizeBytes === blob.sizeBytes) return undefined;
  return sizeBytes < blob.sizeBytes ? 'short' : 'corrupt';
}

/**
 * The same by all of its bytes. Bytes that have another digest are read a second time, in other pieces, and must have
 * that same digest again: what was spoilt on its way is not so twice. Rejects with `StoreUnavailable` where the two differ, or
 * where the store does not give them.
 */
export async function findFault(reading: Reading, blob: ExpectedBlob): Promise<BlobFault | undefined> {
  const bySize = await findSizeFault(reading, blob);
  if (bySize !== undefined) return bySize;
  return faultOf(async () => {
    const found = await digestOf(reading, blob, []);
    if (found === blob.digest) return undefined;
    const again = await digestOf(reading, blob, [Math.ceil(blob.sizeBytes / 3)]);
    if (again === blob.digest) return undefined;
    if (again === found) return 'corrupt';
    throw new StoreUnavailable('the store gives other bytes of an object each time that it is asked');
  });
}

async function faultOf(work: () => Promise<BlobFault | undefined>): Promise<BlobFault | undefined> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ObjectMissing) return 'missing';
    if (error instanceof ObjectShort) return 'short';
    throw error;
  }
}

/** Digest of all bytes, read in pieces that begin at `cuts`. */
async function digestOf(reading: Reading, blob: ExpectedBlob, cuts: readonly number[]): Promise<string> {
  const algorithm = digestAlgorithm(blob.digest);
  const hash = createHash(algorithm);
  const starts = [0, ...cuts.filter((cut) => cut > 0 && cut < blob.sizeBytes)];
  for (const [index, start] of starts.entries()) {
    const end = (starts[index + 1] ?? blob.sizeBytes) - 1;
    await feed(reading, blob, { start, end }, (chunk) => void hash.update(chunk));
  }
  return `${algorithm}:${hash.digest('hex')}`;
}

async function feed(
  { store, signal, pace }: Reading,
  { objectKey }: ExpectedBlob,
  range: ReadRange,
  take: (chunk: Uint8Array) => void,
): Promise<undefined> {
  await store.read(objectKey, { ...range, ...(signal && { signal }) }, async (chunk) => {
    signal?.throwIfAborted();
    await pace?.(chunk.byteLength);
    take(chunk);
  });
}

function ignore(): void {}
