import { randomBytes } from 'node:crypto';
import type { ObjectKey } from '@entrepot/content';
import { STRAY_FORM } from '../stray-key.js';

const OBJECT_FORM = '[0-9a-f]{32}(-[0-9a-f]{16})?(-residue)?';

/**
 * Form of the keys, as a regular expression: that of an upload, whose object usually keeps it; that of an object which was
 * taken elsewhere, with a nonce; that of everything of the upload but one of these objects; and that of a file which is none.
 */
export const KEY_PATTERN = `^(${OBJECT_FORM}|${STRAY_FORM})$`;

const KEY_FORM = new RegExp(`^${OBJECT_FORM}$`);
const UPLOAD_KEY_LENGTH = 32;
const RESIDUE = '-residue';
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

/** Another name for the object of an upload, which no writer has used before. */
export function newNameOf(upload: ObjectKey): ObjectKey {
  return `${upload}-${randomBytes(8).toString('hex')}` as ObjectKey;
}

/** The upload that a key belongs to. */
export function uploadOf(key: ObjectKey): ObjectKey {
  return key.slice(0, UPLOAD_KEY_LENGTH) as ObjectKey;
}

/** Names everything of the upload but this object of it. */
export function residueOf(object: ObjectKey): ObjectKey {
  return `${object}${RESIDUE}` as ObjectKey;
}

/** The object that a key leaves alone, where it names what lies beside one. */
export function spared(key: ObjectKey): ObjectKey | undefined {
  return key.endsWith(RESIDUE) ? (key.slice(0, -RESIDUE.length) as ObjectKey) : undefined;
}

/** True for the name of an object, wherever it lies. */
export function isObjectKey(name: string): name is ObjectKey {
  return KEY_FORM.test(name) && !name.endsWith(RESIDUE);
}

/** Whether a name is that of an object, and in the directory where it is looked for. */
export function isOwnPlace(directory: string, name: string): name is ObjectKey {
  return isObjectKey(name) && locateObject(name).directory === directory;
}

/** Paths of a key, relative to the root. Throws for a text that is no key: nothing else ever becomes part of a path. */
export function locateObject(key: ObjectKey): ObjectPath {
  if (!KEY_FORM.test(key)) throw new TypeError('not an object key of a filesystem store');
  const directory = `objects/${key.slice(0, 2)}/${key.slice(2, 4)}`;
  return { directory, object: `${directory}/${key}`, record: `${directory}/${key}.json` };
}
