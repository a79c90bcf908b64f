import { recordNameOf, type S3Key } from './object-names.js';
import type { S3Bucket } from './s3-bucket.js';
import { isMissing } from './s3-failure.js';

/** The record first: an object without a record is still listed, a record without an object is found by nobody. */
export async function removeObject(bucket: S3Bucket, name: string): Promise<void> {
  await bucket.remove(recordNameOf(name));
  await bucket.remove(name);
}

/** Removes all that writers of an upload left: objects, pieces and unfinished parts; but for the one object of a residue. */
export async function removeAll(bucket: S3Bucket, key: S3Key): Promise<void> {
  const kept = key.isResidue ? `${key.objectPrefix}${key.nonce}` : undefined;
  for (const prefix of [key.objectPrefix, key.piecePrefix]) {
    for await (const { name, uploadId } of bucket.listUploads(prefix)) {
      await orNothing(bucket.abort(name, uploadId));
    }
    // Records sort after their objects, and go first all the same.
    const names: string[] = [];
    for await (const { name } of bucket.list(prefix)) names.push(name);
    for (const name of names.toReversed()) {
      if (kept === undefined || (name !== kept && name !== recordNameOf(kept))) await bucket.remove(name);
    }
  }
}

async function orNothing(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isMissing(error)) throw error;
  }
}
