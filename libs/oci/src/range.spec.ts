import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBlobRange, parseUploadRange } from './range.js';
import { itIsTotal } from './total-parser.suite.js';

const refused = expect.objectContaining({ code: 'RANGE_INVALID', status: 416 }) as Error;

describe('parseBlobRange', () => {
  it.each([
    ['bytes=500-1499', 500, 1499],
    ['bytes=500-', 500, 2047],
    ['bytes=-500', 1548, 2047],
    ['bytes=2000-5000', 2000, 2047],
    ['bytes=0-0', 0, 0],
    ['bytes=2047-2047', 2047, 2047],
    ['bytes=-1', 2047, 2047],
    ['bytes=-99999999999999999999', 0, 2047],
    ['bytes=0-99999999999999999999', 0, 2047],
    ['Bytes= 0-1 ', 0, 1],
  ])('reads %s of 2048 bytes', (header, start, end) => {
    expect(parseBlobRange(header, 2048)).toEqual({ start, end });
  });

  it.each([undefined, '', 'items=0-1', 'bytes', 'byte=0-1', 'bytes=0-1,3-4', 'bytes=0-1, -1', 'xbytes=0-1'])(
    'takes %j for the whole blob',
    (header) => {
      expect(parseBlobRange(header, 2048)).toBeUndefined();
    },
  );

  it.each([
    'bytes=500-0',
    'bytes=5000-10000',
    'bytes=2048-',
    'bytes=-0',
    'bytes=-',
    'bytes=',
    'bytes=a-b',
    'bytes=0--1',
    'bytes=1-2-3',
    'bytes=0x0-1',
    'bytes=1.0-2',
    'bytes=99999999999999999999-',
    'bytes=3000-2500',
  ])('trap 5 answers 416 to %s', (header) => {
    expect(() => parseBlobRange(header, 2048)).toThrow(refused);
    expect(() => parseBlobRange(header, 2048)).toThrow(
      expect.objectContaining({ headers: { 'Content-Range': 'bytes */2048' } }),
    );
  });

  it('has nothing to give of an empty blob but the whole', () => {
    expect(parseBlobRange('bytes=-5', 0)).toBeUndefined();
    expect(() => parseBlobRange('bytes=0-', 0)).toThrow(refused);
    expect(() => parseBlobRange('bytes=0-0', 0)).toThrow(refused);
  });

  it('stays within the blob', () => {
    fc.assert(
      fc.property(fc.nat(3000), fc.nat(5000), (lastByte, end) => {
        expect(parseBlobRange(`bytes=0-${end}`, lastByte + 1)).toEqual({ start: 0, end: Math.min(end, lastByte) });
      }),
    );
  });

  itIsTotal(
    (header) => parseBlobRange(header, 100),
    fc.string({ unit: fc.constantFrom(...'0123456789-, ') }).map((text) => `bytes=${text}`),
  );
});

describe('parseUploadRange', () => {
  it('leaves the place open without a header', () => {
    expect(parseUploadRange(undefined, 10)).toBeUndefined();
  });

  it('takes a range apart', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), (start, length) => {
        const end = start + length;
        expect(parseUploadRange(`${start}-${end}`, length + 1)).toEqual({ start, end });
        expect(parseUploadRange(`${start}-${end}`, undefined)).toEqual({ start, end });
        expect(() => parseUploadRange(`${start}-${end}`, length)).toThrow(refused);
        expect(() => parseUploadRange(`${start}-${end}`, length + 2)).toThrow(refused);
      }),
    );
  });

  it.each([
    '',
    '-',
    '0-',
    '-9',
    '9-0',
    'a-b',
    '0-9/10',
    'bytes 0-9/10',
    'bytes=0-9',
    ' 0-9',
    '0 - 9',
    '0-9,10-19',
    '+0-9',
    '0-9.0',
    '0-9007199254740991',
    '0-9007199254740992',
    `0-${'9'.repeat(400)}`,
  ])('U-03 answers 416 to %j', (header) => {
    expect(() => parseUploadRange(header, undefined)).toThrow(refused);
    expect(() => parseUploadRange(header, 10)).toThrow(refused);
  });

  itIsTotal((header) => parseUploadRange(header, 100));
});
