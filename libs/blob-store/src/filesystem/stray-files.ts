import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { ListedObject, ObjectKey } from '@entrepot/content';
import { isStrayKey, pathOfStray, strayKey } from '../stray-key.js';
import { isOwnPlace, isObjectKey, locateObject, uploadOf } from './object-path.js';
import { orNothing } from './store-fault.js';

const PATH = /^([0-9a-f]{2}\/[0-9a-f]{2})\/([^/\0]+)$/;
const RECORD = '.json';

/** A file among the objects that is no object at its own place. */
export interface StrayFile {
  readonly key: ObjectKey;
  /** `objects/<2 hex>/<2 hex>` */
  readonly directory: string;
  /** Below the store's root. */
  readonly path: string;
  /** The object whose record it is, which must not be there. */
  readonly recordOf?: ObjectKey;
}

/**
 * The file of a stray's key; undefined for other keys. Throws for a key that no listing ever showed: it would lead out of the
 * directories of objects, or to an object.
 */
export function locateStray(key: ObjectKey): StrayFile | undefined {
  if (!isStrayKey(key)) return undefined;
  const [, directory, name] = PATH.exec(pathOfStray('', key)) ?? [];
  const stray = directory === undefined || name === undefined ? undefined : strayOf(`objects/${directory}`, name);
  if (stray === undefined) throw new TypeError('not the key of a stray');
  return stray;
}

/** The upload that a key belongs to: a record belongs to that of its object, any other stray to none but itself. */
export function uploadOfAny(key: ObjectKey): ObjectKey {
  const stray = locateStray(key);
  if (stray === undefined) return uploadOf(key);
  return stray.recordOf === undefined ? key : uploadOf(stray.recordOf);
}

/** The strays in a directory, in the order of their keys. */
export async function* straysIn(root: string, directory: string): AsyncGenerator<ListedObject> {
  const names = (await orNothing(readdir(join(root, directory)))) ?? [];
  const all = new Set(names);
  const strays = names.flatMap((name) => strayOf(directory, name) ?? []);
  for (const stray of strays.toSorted((one, other) => (one.key < other.key ? -1 : 1))) {
    if (stray.recordOf !== undefined && all.has(stray.recordOf)) continue;
    const listed = await listStray(root, stray);
    if (listed) yield listed;
  }
}

/** Undefined where it is not there, is no file, or is a record whose object is there. */
export async function listStray(root: string, { key, path, recordOf }: StrayFile): Promise<ListedObject | undefined> {
  const found = await orNothing(lstat(join(root, path)));
  if (found?.isFile() !== true) return undefined;
  // The directory may have been read while the object and its record were made.
  if (recordOf !== undefined && (await orNothing(lstat(join(root, locateObject(recordOf).object))))) return undefined;
  const stray = { path, ...(recordOf !== undefined && { recordOf }) };
  return { key, sizeBytes: found.size, modifiedAt: found.mtime, hasRecord: false, stray };
}

function strayOf(directory: string, name: string): StrayFile | undefined {
  if (name === '.' || name === '..' || isOwnPlace(directory, name)) return undefined;
  const path = `${directory}/${name}`;
  const key = strayKey('', path.slice('objects/'.length));
  const object = name.endsWith(RECORD) ? name.slice(0, -RECORD.length) : '';
  const isRecord = isObjectKey(object) && isOwnPlace(directory, object);
  return { key, directory, path, ...(isRecord && { recordOf: object }) };
}
