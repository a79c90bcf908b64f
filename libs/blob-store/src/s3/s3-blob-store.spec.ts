import { blobStoreSuite } from '@entrepot/content/ports/blob-store.suite';
import { S3_SERVERS, connectS3, isS3ServerSkipped, newTestBucket } from '@entrepot/testkit/test-bucket';
import { MIB, openTestStore } from './s3-trial.suite.js';

/** Parts as small as S3 takes them, and soon joined from pieces: what the suite writes goes every way that 5 TiB would. */
const SMALL_PARTS = {
  plan: [
    { count: 2, sizeBytes: 5 * MIB },
    { count: 100, sizeBytes: 10 * MIB, pieceBytes: 5 * MIB },
  ],
  bufferBytes: 0,
};

for (const kind of S3_SERVERS.filter((each) => !isS3ServerSkipped(each))) {
  for (const options of kind === 'versitygw' ? [{}, SMALL_PARTS] : [{}]) {
    blobStoreSuite(`s3 on ${kind}${options === SMALL_PARTS ? ' in small parts' : ''}`, async () => {
      const place = await newTestBucket(kind);
      const store = openTestStore(place, options);
      return {
        store,
        leftovers: async () => {
          await store.settle();
          const client = connectS3(place);
          const { objects } = await client.listObjectsV2Query(place.bucket, '', '', '', 100, '');
          const { uploads } = await client.listIncompleteUploadsQuery(place.bucket, '', '', '', '');
          return [...objects.map(({ name }) => `object ${name}`), ...uploads.map(({ key }) => `upload ${key}`)];
        },
        close: async () => undefined,
      };
    });
  }
}
