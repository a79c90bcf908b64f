import { randomBytes } from 'node:crypto';
import type { S3Bucket as TestBucket } from '@entrepot/testkit/test-bucket';
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';

export const MIB = 2 ** 20;

/** A store in a bucket of the testkit. */
export function openTestStore(place: TestBucket, options: Partial<S3BlobStoreOptions> = {}): S3BlobStore {
  const { endpoint, bucket, region, accessKey, secretKey, pathStyle } = place;
  return new S3BlobStore({
    endpoint: new URL(endpoint),
    publicEndpoint: new URL(endpoint),
    bucket,
    region,
    accessKey,
    secretKey,
    isPathStyle: pathStyle,
    prefix: `${randomBytes(3).toString('hex')}/`,
    encryption: {},
    timeouts: { connectMs: 5_000, idleMs: 20_000 },
    bufferBytes: 64 * MIB,
    ...options,
  });
}
