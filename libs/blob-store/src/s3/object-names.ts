import { randomBytes } from 'node:crypto';
import type { ObjectKey } from '@entrepot/content';
import { STRAY_FORM, isStrayKey, pathOfStray, strayKey } from '../stray-key.js';

/** Anchored form of the keys, in the regular expressions that JavaScript and Postgres share. */
export const S3_KEY_PATTERN = `^s3-([0-9a-f]{32}(-[0-9a-f]{16}(-residue)?)?|${STRAY_FORM})$`;

const KEY = /^(s3-([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{28})(?:-([0-9a-f]{16})(-residue)?)?$/;
const OBJECT_NAME = /^objects\/([0-9a-f]{2})\/([0-9a-f]{2})\/(s3-\1\2[0-9a-f]{28}-[0-9a-f]{16})$/;
const STRAY_NAME = /^objects\/([0-9a-f]{2}\/[0-9a-f]{2}\/[^]+)$/;
const RECORD = '.json';
const PIECE_NAME = /^pieces\/(s3-[0-9a-f]{32})\/[0-9a-f]{16}$/;

/** What a key stands for: an upload, the object that one of its writers completed, or all but that object. */
export interface S3Key {
  readonly uploadKey: ObjectKey;
  /** Names of all that writers of the upload completed begin so. */
  readonly objectPrefix: string;
  /** Pieces on the way to an object: tails, and parts that are joined to larger ones. */
  readonly piecePrefix: string;
  /** Of the writer that named the object; undefined for the key of an upload. */
  readonly nonce?: string;
  readonly isResidue: boolean;
}

/** Keys of uploads: `s3-` and 32 random hexadecimal digits. */
export function newUploadKey(): ObjectKey {
  return `s3-${randomBytes(16).toString('hex')}` as ObjectKey;
}

/** Part of a name that only one writer uses, so that what it sends late meets nothing of another one's. */
export function newNonce(): string {
  return randomBytes(8).toString('hex');
}

/** Throws for a text that is no key of this store; nothing else ever becomes part of a name. */
export function parseKey(key: ObjectKey): S3Key {
  const [, uploadKey, outer, inner, nonce, residue] = KEY.exec(key) ?? [];
  if (uploadKey === undefined) throw new TypeError('not an object key of an S3 store');
  return {
    uploadKey: uploadKey as ObjectKey,
    objectPrefix: `objects/${outer}/${inner}/${uploadKey}-`,
    piecePrefix: `pieces/${uploadKey}/`,
    ...(nonce !== undefined && { nonce }),
    isResidue: residue !== undefined,
  };
}

/** The upload that a key belongs to: a record belongs to that of its object, any other stray to none but itself. */
export function uploadOf(key: ObjectKey): ObjectKey {
  const stray = strayOfKey(key);
  if (stray === undefined) return parseKey(key).uploadKey;
  return stray.recordOf === undefined ? key : parseKey(stray.recordOf).uploadKey;
}

/** Names everything of the upload but this completed object of it. Throws for other keys. */
export function residueOf(object: ObjectKey): ObjectKey {
  if (objectNameOf(object) === undefined) throw new TypeError('not the key of a completed object');
  return `${object}-residue` as ObjectKey;
}

/** Name of the object under the key of a completed one; undefined for other keys, under which nothing can be read. */
export function objectNameOf(key: ObjectKey): string | undefined {
  const { objectPrefix, nonce, isResidue } = parseKey(key);
  return nonce === undefined || isResidue ? undefined : `${objectPrefix}${nonce}`;
}

export function recordNameOf(objectName: string): string {
  return `${objectName}${RECORD}`;
}

/** The key that an object or a piece is removed by; undefined for records and what is not ours. */
export function keyOfName(name: string): ObjectKey | undefined {
  const key = OBJECT_NAME.exec(name)?.[3] ?? PIECE_NAME.exec(name)?.[1];
  return key as ObjectKey | undefined;
}

/** What lies among the objects and is none. */
export interface StrayName {
  readonly key: ObjectKey;
  readonly name: string;
  /** The object whose record it is, which must not be there. */
  readonly recordOf?: ObjectKey;
}

/** Undefined for the name of an object, and for what lies elsewhere. */
export function strayOfName(name: string): StrayName | undefined {
  const [, path] = STRAY_NAME.exec(name) ?? [];
  if (path === undefined || keyOfName(name) !== undefined) return undefined;
  const recordOf = name.endsWith(RECORD) ? keyOfName(name.slice(0, -RECORD.length)) : undefined;
  return { key: strayKey('s3-', path), name, ...(recordOf !== undefined && { recordOf }) };
}

/** Undefined for keys of other forms. Throws for a stray's that no listing ever showed. */
export function strayOfKey(key: ObjectKey): StrayName | undefined {
  if (!isStrayKey(key)) return undefined;
  const stray = strayOfName(`objects/${pathOfStray('s3-', key)}`);
  if (stray === undefined) throw new TypeError('not the key of a stray');
  return stray;
}
