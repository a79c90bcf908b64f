import { isS3ServerSkipped } from '@entrepot/testkit/test-bucket';
import { describe } from 'vitest';
import { MIB, s3BlobStoreSuite } from './s3-trial.suite.js';

/** Parts as small as S3 takes them, and soon joined from pieces: what the suite writes goes every way that 5 TiB would. */
const SMALL_PARTS = {
  plan: [
    { count: 2, sizeBytes: 5 * MIB },
    { count: 100, sizeBytes: 10 * MIB, pieceBytes: 5 * MIB },
  ],
  bufferBytes: 0,
};

describe.skipIf(isS3ServerSkipped('versitygw'))('on an S3 server over files', () => {
  s3BlobStoreSuite('versitygw', 'versitygw');
  s3BlobStoreSuite('versitygw in small parts', 'versitygw', SMALL_PARTS);
});
