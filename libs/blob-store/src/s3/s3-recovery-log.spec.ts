import { listed } from '@entrepot/content/ports/blob-store-trial.suite';
import { recoveryLogSuite } from '@entrepot/content/ports/recovery-log.suite';
import { S3_SERVERS, isS3ServerSkipped, newTestBucket } from '@entrepot/testkit/test-bucket';
import { S3RecoveryLog } from './s3-recovery-log.js';
import { openTestStore, testStoreOptions } from './s3-trial.suite.js';

for (const kind of S3_SERVERS.filter((each) => !isS3ServerSkipped(each))) {
  recoveryLogSuite(`s3 on ${kind}`, async () => {
    const place = await newTestBucket(kind);
    const prefix = 'registry/';
    const store = openTestStore(place, { prefix });
    return {
      log: new S3RecoveryLog(testStoreOptions(place, { prefix })),
      objects: () => listed(store),
      close: () => store.settle(),
    };
  });
}
