import { createHash, randomBytes } from 'node:crypto';
import { MemoryBlobStore } from '@entrepot/blob-store';
import type { Digest } from '@entrepot/oci';
import { describe, expect, it } from 'vitest';
import { put } from '../ports/blob-store-trial.suite.js';
import { ObjectCorrupt, readVerified } from './read-verified.js';

const BYTES = randomBytes(300_000);

const digestOf = (bytes: Uint8Array, algorithm = 'sha256'): Digest =>
  `${algorithm}:${createHash(algorithm).update(bytes).digest('hex')}` as Digest;

async function read(stored: Buffer, digest: Digest, sizeBytes = BYTES.length) {
  const store = new MemoryBlobStore();
  const objectKey = await put(store, [stored]);
  const found: Buffer[] = [];
  const reading = readVerified(store, { objectKey, digest, sizeBytes }, async (chunk) => {
    found.push(Buffer.from(chunk));
  });
  const [outcome] = await Promise.allSettled([reading]);
  return { outcome, found: Buffer.concat(found) };
}

describe('a read that is verified', () => {
  it.each(['sha256', 'sha512'])('feeds all bytes where they have the digest (%s)', async (algorithm) => {
    const { outcome, found } = await read(BYTES, digestOf(BYTES, algorithm));
    expect(outcome.status).toBe('fulfilled');
    expect(found.equals(BYTES)).toBe(true);
  });

  it.each([0, 150_000, 299_999])('holds the last bytes back where byte %i is another', async (position) => {
    const stored = Buffer.from(BYTES);
    stored[position] = (stored[position] ?? 0) ^ 1;
    const { outcome, found } = await read(stored, digestOf(BYTES));
    expect(outcome).toMatchObject({ status: 'rejected', reason: { name: ObjectCorrupt.name, retryable: true } });
    expect(found.length).toBeLessThan(BYTES.length);
  });

  it('feeds nothing of a wrong object that is one chunk', async () => {
    const { outcome, found } = await read(Buffer.from('wrong'), digestOf(Buffer.from('right')), 5);
    expect(outcome.status).toBe('rejected');
    expect(found).toHaveLength(0);
  });

  it('is no success where the object is shorter than the blob', async () => {
    const { outcome, found } = await read(BYTES.subarray(0, 200_000), digestOf(BYTES));
    expect(outcome.status).toBe('rejected');
    expect(found.length).toBeLessThan(BYTES.length);
  });
});
