import { createHash } from 'node:crypto';
import { digestAlgorithm, type Digest } from '@entrepot/oci';
import type { BlobStore, ObjectKey } from '../ports/blob-store.js';

/** A blob as it should be: its object, and what its bytes must be. */
export interface ExpectedBlob {
  readonly objectKey: ObjectKey;
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** A blob that is read; `signal` as that of `ReadRange`. */
export interface VerifiedRead extends ExpectedBlob {
  readonly signal?: AbortSignal;
}

/** The store gave other bytes than the digest says. The store's fault, and perhaps one that passes: try again. */
export class ObjectCorrupt extends Error {
  override readonly name = 'ObjectCorrupt';
  /** Read by the HTTP edge: answered with 503 and Retry-After. */
  readonly retryable = true;

  constructor(readonly key: ObjectKey) {
    super(`the bytes of object ${key} do not have the digest of their blob`);
  }
}

/**
 * Feeds the whole blob to `sink` as `BlobStore.read` does, hashing on the way. The last chunk is held back until the
 * digest of everything is right: whoever got the last byte got the blob. Rejects with `ObjectCorrupt` before that.
 */
export async function readVerified(
  store: BlobStore,
  { objectKey, digest, sizeBytes, signal }: VerifiedRead,
  sink: (chunk: Uint8Array) => Promise<void>,
): Promise<void> {
  const algorithm = digestAlgorithm(digest);
  const hash = createHash(algorithm);
  let missingBytes = sizeBytes;
  await store.read(objectKey, { start: 0, end: sizeBytes - 1, ...(signal && { signal }) }, (chunk) => {
    hash.update(chunk);
    missingBytes -= chunk.byteLength;
    if (missingBytes === 0 && `${algorithm}:${hash.digest('hex')}` !== digest) throw new ObjectCorrupt(objectKey);
    return sink(chunk);
  });
  if (missingBytes !== 0) throw new ObjectCorrupt(objectKey);
}
