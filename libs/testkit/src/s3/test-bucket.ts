import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { beforeAll, inject } from 'vitest';
import type { S3DoorAnswer } from './s3-global-setup.js';
import { makeBucket, type S3Bucket, type S3ServerKind } from './s3-server.js';

export { connectS3, isS3ServerSkipped, S3_SERVERS } from './s3-server.js';
export type { S3Bucket, S3ServerKind } from './s3-server.js';

/**
 * A fresh, empty bucket on the run's server of that kind, for use in tests and hooks; it goes with the server when the
 * run ends. Needs the vitest configuration to name `libs/testkit/src/s3/s3-global-setup.ts` in `globalSetup`.
 */
export async function newTestBucket(kind: S3ServerKind): Promise<S3Bucket> {
  const answer = JSON.parse(await text(connect(join(inject('entrepotS3Doors'), kind)))) as S3DoorAnswer;
  if ('error' in answer) throw new Error(`no ${kind} for the specs: ${answer.error}`);
  return makeBucket(answer.place);
}

/**
 * Gives the calling spec file (or `describe`) a bucket of its own:
 *
 * ```ts
 * import { isS3ServerSkipped, S3_SERVERS, withTestBucket } from '@entrepot/testkit/test-bucket';
 * describe.each(S3_SERVERS.filter((kind) => !isS3ServerSkipped(kind)))('a store on %s', (kind) => {
 *   const place = withTestBucket(kind);
 *   it('stores', async () => { const store = await open(place.current); … });
 * });
 * ```
 */
export function withTestBucket(kind: S3ServerKind): { readonly current: S3Bucket } {
  let bucket: S3Bucket | undefined;
  beforeAll(async () => {
    bucket = await newTestBucket(kind);
  });
  return {
    get current() {
      if (bucket === undefined) throw new Error('the bucket exists from beforeAll on: read it in a test or hook');
      return bucket;
    },
  };
}
