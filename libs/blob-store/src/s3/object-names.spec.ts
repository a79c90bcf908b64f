import type { ObjectKey } from '@entrepot/content';
import { describe, expect, it } from 'vitest';
import { locateObject } from '../filesystem/object-path.js';
import { S3_KEY_PATTERN, keyOfName, newNonce, newUploadKey, objectNameOf, parseKey } from './object-names.js';

describe('names in a bucket', () => {
  const upload = newUploadKey();
  const object = `${upload}-${newNonce()}` as ObjectKey;
  const residue = `${object}-residue` as ObjectKey;

  it('say which upload a key belongs to', () => {
    for (const key of [upload, object, residue]) {
      expect(key).toMatch(new RegExp(S3_KEY_PATTERN));
      expect(parseKey(key).uploadKey).toBe(upload);
    }
    expect([upload, object, residue].map((key) => parseKey(key).isResidue)).toEqual([false, false, true]);
  });

  it('are read by the key of a completed object only', () => {
    expect(objectNameOf(object)).toBe(`objects/${upload.slice(3, 5)}/${upload.slice(5, 7)}/${object}`);
    expect([upload, residue].map(objectNameOf)).toEqual([undefined, undefined]);
  });

  it('lead back to what they are removed by', () => {
    expect(keyOfName(objectNameOf(object) ?? '')).toBe(object);
    expect(keyOfName(`${objectNameOf(object)}.json`)).toBeUndefined();
    expect(keyOfName(`${parseKey(upload).piecePrefix}${newNonce()}`)).toBe(upload);
    expect(keyOfName('probes/0123456789abcdef')).toBeUndefined();
  });

  it.each([
    '',
    's3-',
    upload.slice(3),
    `${upload}-`,
    `${upload}-x`,
    `${residue}-residue`,
    `${upload}/../x`,
    upload.toUpperCase(),
  ])('are never made of %j', (key) => {
    expect(() => parseKey(key as ObjectKey)).toThrow(TypeError);
  });

  it('are no keys of the file system, nor the other way round', () => {
    expect(() => locateObject(upload)).toThrow(TypeError);
    expect(() => parseKey(upload.slice(3) as ObjectKey)).toThrow(TypeError);
  });
});
