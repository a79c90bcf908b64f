import { randomBytes } from 'node:crypto';
import { blobStoreSuite } from '@entrepot/content/ports/blob-store.suite';
import { walkedStoreSuite } from '@entrepot/content/ports/walked-store.suite';
import {
  connectS3,
  newTestBucket,
  type S3Bucket as TestBucket,
  type S3ServerKind,
} from '@entrepot/testkit/test-bucket';
import { S3BlobStore, type S3BlobStoreOptions } from './s3-blob-store.js';

export const MIB = 2 ** 20;

/** A store in a bucket of the testkit. */
export function openTestStore(place: TestBucket, options: Partial<S3BlobStoreOptions> = {}): S3BlobStore {
  return new S3BlobStore(testStoreOptions(place, options));
}

export function testStoreOptions(place: TestBucket, options: Partial<S3BlobStoreOptions> = {}): S3BlobStoreOptions {
  const { endpoint, bucket, region, accessKey, secretKey, pathStyle } = place;
  return {
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
  };
}

/** The suites of the ports on buckets of their own; the first has to be empty in the end. */
export function s3BlobStoreSuite(name: string, kind: S3ServerKind, options: Partial<S3BlobStoreOptions> = {}): void {
  blobStoreSuite(`s3 on ${name}`, async () => {
    const place = await newTestBucket(kind);
    const store = openTestStore(place, options);
    return {
      store,
      leftovers: async () => {
        await store.settle();
        const client = connectS3(place);
        const { objects } = await client.listObjectsV2Query(place.bucket, '', '', '', 100, '');
        const { uploads } = await client.listIncompleteUploadsQuery(place.bucket, '', '', '', '');
        return [...objects.map(({ name: key }) => `object ${key}`), ...uploads.map(({ key }) => `upload ${key}`)];
      },
      close: async () => undefined,
    };
  });

  walkedStoreSuite(`s3 on ${name}`, async () => {
    const store = openTestStore(await newTestBucket(kind), options);
    return { store, close: () => store.settle() };
  });
}
