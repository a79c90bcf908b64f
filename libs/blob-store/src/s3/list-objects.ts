import type { ListedObject, ObjectKey } from '@entrepot/content';
import { keyOfName, parseKey, recordNameOf, strayOfKey, strayOfName, type StrayName } from './object-names.js';
import type { S3Bucket, StoredObject } from './s3-bucket.js';
import { isMissing } from './s3-failure.js';

/**
 * All objects in the order of their keys, behind `after`; then strays, whose keys come behind, by a listing of their own; then
 * pieces and parts, under the keys of their uploads.
 */
export async function* listObjects(bucket: S3Bucket, after?: ObjectKey): AsyncGenerator<ListedObject> {
  const stray = after === undefined ? undefined : strayOfKey(after);
  if (stray === undefined) yield* completed(bucket, 'objects/', after === undefined ? undefined : nameBefore(after));
  yield* strays(bucket, 'objects/', stray?.name);
  yield* unfinished(bucket, ['objects/', 'pieces/']);
}

/** The same of one upload. */
export async function* listUpload(bucket: S3Bucket, upload: ObjectKey): AsyncGenerator<ListedObject> {
  const stray = strayOfKey(upload);
  if (stray !== undefined) {
    for await (const found of strays(bucket, stray.name)) if (found.key === upload) yield found;
    return;
  }
  const key = parseKey(upload);
  yield* completed(bucket, key.objectPrefix);
  yield* strays(bucket, key.objectPrefix);
  yield* unfinished(bucket, [key.objectPrefix, key.piecePrefix]);
}

function nameBefore(key: ObjectKey): string {
  return `${parseKey(key).objectPrefix.slice(0, 'objects/00/00/'.length)}${key}`;
}

/** A record comes right behind its object: its name is that of the object and an ending. */
async function* completed(bucket: S3Bucket, prefix: string, after?: string): AsyncGenerator<ListedObject> {
  let held: StoredObject | undefined;
  for await (const next of bucket.list(prefix, after)) {
    if (held !== undefined) yield* listed(held, next.name === recordNameOf(held.name));
    held = keyOfName(next.name) === undefined ? undefined : next;
  }
  if (held !== undefined) yield* listed(held, false);
}

async function* strays(bucket: S3Bucket, prefix: string, after?: string): AsyncGenerator<ListedObject> {
  let before: string | undefined;
  for await (const { name, sizeBytes, modifiedAt } of bucket.list(prefix, after)) {
    const stray = strayOfName(name);
    const isRecord = before !== undefined && name === recordNameOf(before);
    before = stray === undefined ? name : undefined;
    if (stray === undefined || isRecord || (await isOfObject(bucket, stray))) continue;
    const { key, recordOf } = stray;
    const told = { path: name, ...(recordOf !== undefined && { recordOf }) };
    yield { key, sizeBytes, modifiedAt, hasRecord: false, stray: told };
  }
}

/** A record whose object was made while the names were listed, or lies on the page before. */
async function isOfObject(bucket: S3Bucket, { name, recordOf }: StrayName): Promise<boolean> {
  if (recordOf === undefined) return false;
  try {
    await bucket.head(name.slice(0, -recordNameOf('').length));
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function* unfinished(bucket: S3Bucket, prefixes: readonly string[]): AsyncGenerator<ListedObject> {
  for (const prefix of prefixes) {
    if (prefix.startsWith('pieces/')) {
      for await (const piece of bucket.list(prefix)) yield* listed(piece, false);
    }
    for await (const { name, uploadId, begunAt } of bucket.listUploads(prefix)) {
      const key = keyOfName(name);
      const sizeBytes = key === undefined ? undefined : await sizeOfParts(bucket, name, uploadId);
      if (key === undefined || sizeBytes === undefined) continue;
      yield { key: parseKey(key).uploadKey, sizeBytes, modifiedAt: begunAt, hasRecord: false };
    }
  }
}

function* listed({ name, sizeBytes, modifiedAt }: StoredObject, hasRecord: boolean): Generator<ListedObject> {
  const key = keyOfName(name);
  if (key !== undefined) yield { key, sizeBytes, modifiedAt, hasRecord };
}

/** Undefined where the parts were joined or forgotten meanwhile. */
async function sizeOfParts(bucket: S3Bucket, name: string, uploadId: string): Promise<number | undefined> {
  try {
    return (await bucket.listParts(name, uploadId)).reduce((sum, part) => sum + part.sizeBytes, 0);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}
