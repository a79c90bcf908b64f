import type { ListedObject, ObjectKey } from '@entrepot/content';
import { keyOfName, parseKey, recordNameOf, type S3Key } from './object-names.js';
import type { S3Bucket, StoredObject } from './s3-bucket.js';
import { isMissing } from './s3-failure.js';

/** All objects in the order of their keys, behind `after`; then pieces and parts, under the keys of their uploads. */
export async function* listObjects(bucket: S3Bucket, after?: ObjectKey): AsyncGenerator<ListedObject> {
  yield* completed(bucket, 'objects/', after === undefined ? undefined : nameBefore(after));
  yield* unfinished(bucket, ['objects/', 'pieces/']);
}

/** The same of one upload. */
export async function* listUpload(bucket: S3Bucket, key: S3Key): AsyncGenerator<ListedObject> {
  yield* completed(bucket, key.objectPrefix);
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
