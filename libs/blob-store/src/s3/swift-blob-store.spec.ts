import { isS3ServerSkipped } from '@entrepot/testkit/test-bucket';
import { describe } from 'vitest';
import { s3BlobStoreSuite } from './s3-trial.suite.js';

describe.skipIf(isS3ServerSkipped('swift'))('on the S3 side of another object store', () => {
  s3BlobStoreSuite('swift', 'swift');
});
