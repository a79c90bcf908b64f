import { randomBytes } from 'node:crypto';
import type { ObjectKey } from '@entrepot/content';

/** Form of the keys, as a regular expression. */
export const KEY_PATTERN = '^[0-9a-f]{32}$';

const KEY_FORM = new RegExp(KEY_PATTERN);
const KEYS_PER_RUN = 512;

/** Where an object lies below the store's root. */
export interface ObjectPath {
  /** `objects/<2 hex>/<2 hex>`; at most 65,536 of them. */
  readonly directory: string;
  readonly object: string;
  /** The sidecar. */
  readonly record: string;
}

/**
 * Makes keys of 32 random hexadecimal digits. The first four name the directory and stay the same for a run of keys, so
 * that what one process writes at a time shares directories, and with them the making and syncing of directories.
 */
export function keySource(): () => ObjectKey {
  let directory = '';
  let left = 0;
  return () => {
    if (left === 0) {
      directory = randomBytes(2).toString('hex');
      left = KEYS_PER_RUN;
    }
    left -= 1;
    return `${directory}${randomBytes(14).toString('hex')}` as ObjectKey;
  };
}

/** True for names that `keySource` makes; nothing else ever becomes part of a path. */
export function isObjectKey(name: string): name is ObjectKey {
  return KEY_FORM.test(name);
}

/** Paths of a key, relative to the root. Throws for a text that is no key. */
export function locateObject(key: ObjectKey): ObjectPath {
  if (!isObjectKey(key)) throw new TypeError('not an object key of a filesystem store');
  const directory = `objects/${key.slice(0, 2)}/${key.slice(2, 4)}`;
  return { directory, object: `${directory}/${key}`, record: `${directory}/${key}.json` };
}
