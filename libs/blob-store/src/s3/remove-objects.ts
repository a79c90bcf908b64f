import { eachOf } from '../each-of.js';
import { recordNameOf, type S3Key } from './object-names.js';
import type { S3Bucket } from './s3-bucket.js';
import { S3Failure, isMissing } from './s3-failure.js';

/** What one request may name. */
const NAMES_PER_REQUEST = 1000;
const REQUESTS_AT_ONCE = 8;
/** By these a store says that it knows only the removal of one object. */
const ONE_BY_ONE = new Set(['NotImplemented', 'MethodNotAllowed', 'HTTP 501', 'HTTP 405']);

/**
 * Removes objects with their records, the records first: an object without a record is still listed, a record without an
 * object is found by nobody. Resolves with the names that are left, and why.
 */
export async function removeObjects(bucket: S3Bucket, names: readonly string[]): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  for (let start = 0; start < names.length; start += NAMES_PER_REQUEST) {
    const some = names.slice(start, start + NAMES_PER_REQUEST);
    const ofRecords = await removeNames(bucket, some.map(recordNameOf));
    const bare = some.filter((name) => !ofRecords.has(recordNameOf(name)));
    const ofObjects = await removeNames(bucket, bare);
    for (const name of some) {
      const reason = ofRecords.get(recordNameOf(name)) ?? ofObjects.get(name);
      if (reason !== undefined) failures.set(name, reason);
    }
  }
  return failures;
}

/** Removes what has these very names, records or not. Resolves with those that are left, and why. */
export async function removeExactly(bucket: S3Bucket, names: readonly string[]): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  for (let start = 0; start < names.length; start += NAMES_PER_REQUEST) {
    const failed = await removeNames(bucket, names.slice(start, start + NAMES_PER_REQUEST));
    for (const [name, reason] of failed) failures.set(name, reason);
  }
  return failures;
}

async function removeNames(bucket: S3Bucket, names: readonly string[]): Promise<Map<string, unknown>> {
  if (names.length < 2) return removeOneByOne(bucket, names);
  try {
    return await bucket.removeMany(names);
  } catch (error) {
    if (error instanceof S3Failure && ONE_BY_ONE.has(error.code)) return removeOneByOne(bucket, names);
    return new Map(names.map((name) => [name, error]));
  }
}

async function removeOneByOne(bucket: S3Bucket, names: readonly string[]): Promise<Map<string, unknown>> {
  const failures = new Map<string, unknown>();
  await eachOf(names, REQUESTS_AT_ONCE, async (name) => {
    await bucket.remove(name).catch((error: unknown) => failures.set(name, error));
  });
  return failures;
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
