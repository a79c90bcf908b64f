import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestAlgorithm, digestHex, isDigest, parseDigest } from './digest.js';
import { itIsTotal } from './total-parser.suite.js';

const hex = (length: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789abcdef'), minLength: length, maxLength: length });

describe('parseDigest', () => {
  it.each([
    ['sha256', 64],
    ['sha512', 128],
  ] as const)('takes %s apart and together', (algorithm, length) => {
    fc.assert(
      fc.property(hex(length), (encoded) => {
        const digest = parseDigest(`${algorithm}:${encoded}`);
        expect(digest).toBe(`${algorithm}:${encoded}`);
        expect(digestAlgorithm(digest)).toBe(algorithm);
        expect(digestHex(digest)).toBe(encoded);
      }),
    );
  });

  it.each([
    `sha256:${'a'.repeat(63)}`,
    `sha256:${'a'.repeat(65)}`,
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'g'.repeat(64)}`,
    'sha256:../../x',
    'sha256:',
    'sha256',
    '',
    `SHA256:${'a'.repeat(64)}`,
    `sha512:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(128)}`,
    `sha512:${'a'.repeat(127)}`,
    `sha256:${'a'.repeat(64)}\n`,
    ` sha256:${'a'.repeat(64)}`,
    `sha256:sha256:${'a'.repeat(64)}`,
    `sha256:${'a'.repeat(31)}:${'a'.repeat(32)}`,
    `sha256+b64:${'a'.repeat(64)}`,
    `sha384:${'a'.repeat(96)}`,
    'sha256:baddigeststring',
  ])('D-03 refuses %j', (text) => {
    expect(() => parseDigest(text)).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID', status: 400 }));
    expect(isDigest(text)).toBe(false);
  });

  it('D-03 says that an algorithm is not supported', () => {
    expect(() => parseDigest(`md5:${'a'.repeat(32)}`)).toThrow('not supported');
    expect(() => parseDigest(`sha256:${'a'.repeat(32)}`)).toThrow('malformed');
  });

  itIsTotal(parseDigest);
});
