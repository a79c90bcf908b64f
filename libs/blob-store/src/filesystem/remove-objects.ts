import { readdir, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { ObjectKey } from '@entrepot/content';
import { eachOf } from '../each-of.js';
import { isObjectKey, locateObject, spared, uploadOf, type ObjectPath } from './object-path.js';
import { locateStray } from './stray-files.js';
import { orNothing, storeFault } from './store-fault.js';

/** Together they leave the threads that files are read and written with to others most of the time. */
const DIRECTORIES_AT_ONCE = 2;
const KEYS_AT_ONCE = 2;

/** The part of a store that removal needs. */
export interface RemovalRoom {
  readonly root: string;
  /** Closes the writer of an upload, if there is one here. */
  abandon(upload: ObjectKey): Promise<void>;
  /** Makes what happened to the names in a directory survive a power loss. */
  sync(directory: string): Promise<void>;
}

/**
 * Removes all that lies under the keys. Each directory is read and synced once, however many of the keys lie in it.
 * Resolves with those that could not be removed, and why.
 */
export async function removeObjects(room: RemovalRoom, keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
  const failures = new Map<ObjectKey, unknown>();
  await eachOf(byDirectory(keys, failures), DIRECTORIES_AT_ONCE, async ([directory, inside]) => {
    try {
      const names = await namesByUpload(room.root, directory);
      await eachOf(inside, KEYS_AT_ONCE, async (key) => {
        const fail = (error: unknown) => failures.set(key, storeFault(error, room.root));
        await removeKey(room, key, names).catch(fail);
      });
      await orNothing(room.sync(directory));
    } catch (error) {
      for (const key of inside) failures.set(key, storeFault(error, room.root));
    }
  });
  return failures;
}

/** The record first: an object without a record is still listed, a record without an object is found by nobody. */
export async function unlinkObject(root: string, path: ObjectPath): Promise<void> {
  await orNothing(unlink(join(root, path.record)));
  await orNothing(unlink(join(root, path.object)));
}

function byDirectory(keys: readonly ObjectKey[], failures: Map<ObjectKey, unknown>): Map<string, ObjectKey[]> {
  const directories = new Map<string, ObjectKey[]>();
  for (const key of keys) {
    try {
      const { directory } = locateStray(key) ?? locateObject(key);
      const inside = directories.get(directory) ?? [];
      directories.set(directory, inside);
      inside.push(key);
    } catch (error) {
      failures.set(key, error);
    }
  }
  return directories;
}

/** Names of objects, those included of which only the record is left. A store that is not mounted has lost none. */
async function namesByUpload(root: string, directory: string): Promise<Map<ObjectKey, Set<ObjectKey>>> {
  const names = await orNothing(readdir(join(root, directory)));
  if (names === undefined) await stat(join(root, 'objects'));
  const uploads = new Map<ObjectKey, Set<ObjectKey>>();
  for (const file of names ?? []) {
    const name = file.replace(/\.json$/, '');
    if (!isObjectKey(name)) continue;
    const objects = uploads.get(uploadOf(name)) ?? new Set();
    uploads.set(uploadOf(name), objects.add(name));
  }
  return uploads;
}

async function removeKey(room: RemovalRoom, key: ObjectKey, names: Map<ObjectKey, Set<ObjectKey>>): Promise<void> {
  const stray = locateStray(key);
  if (stray !== undefined) return void (await orNothing(unlink(join(room.root, stray.path))));
  const [upload, left] = [uploadOf(key), spared(key)];
  if (left === undefined) await room.abandon(upload);
  for (const name of names.get(upload) ?? []) {
    if (name !== left) await unlinkObject(room.root, locateObject(name));
  }
}
