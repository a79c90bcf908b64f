import { randomBytes } from 'node:crypto';
import { StoreUnavailable } from '@entrepot/content';
import type { S3Bucket } from './s3-bucket.js';

/** Writes, reads back and removes a few bytes. Rejects with `S3Failure`, or with `StoreUnavailable`. */
export async function probeBucket(bucket: S3Bucket): Promise<void> {
  const name = `probes/${randomBytes(8).toString('hex')}`;
  const written = JSON.stringify({ probe: randomBytes(64).toString('hex') });
  await bucket.putText(name, written);
  const found = await bucket.getText(name);
  await bucket.remove(name);
  if (found !== written) {
    throw new StoreUnavailable(`object storage ${bucket.place}: gives back other bytes than it was given`);
  }
}

/** What time it is where objects are stamped, to the second. Rejects with `S3Failure`. */
export async function readClock(bucket: S3Bucket): Promise<Date> {
  const name = `probes/${randomBytes(8).toString('hex')}`;
  await bucket.putText(name, JSON.stringify({ probe: 'now' }));
  const { modifiedAt } = await bucket.head(name);
  await bucket.remove(name);
  return modifiedAt;
}
