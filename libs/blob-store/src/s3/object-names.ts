import { randomBytes } from 'node:crypto';
import type { ObjectKey } from '@entrepot/content';

/** Anchored form of the keys, in the regular expressions that JavaScript and Postgres share. */
export const S3_KEY_PATTERN = '^s3-[0-9a-f]{32}(-[0-9a-f]{16}(-residue)?)?$';

const KEY = /^(s3-([0-9a-f]{2})([0-9a-f]{2})[0-9a-f]{28})(?:-([0-9a-f]{16})(-residue)?)?$/;
const OBJECT_NAME = /^objects\/[0-9a-f]{2}\/[0-9a-f]{2}\/(s3-[0-9a-f]{32}-[0-9a-f]{16})$/;
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

/** The upload that a key belongs to. */
export function uploadOf(key: ObjectKey): ObjectKey {
  return parseKey(key).uploadKey;
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
  return `${objectName}.json`;
}

/** The key that an object or a piece is removed by; undefined for records and what is not ours. */
export function keyOfName(name: string): ObjectKey | undefined {
  const [, key] = OBJECT_NAME.exec(name) ?? PIECE_NAME.exec(name) ?? [];
  return key as ObjectKey | undefined;
}
