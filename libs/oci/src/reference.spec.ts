import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isTag, parseReference, parseTag } from './reference.js';
import { itIsTotal } from './total-parser.suite.js';

const digest = `sha256:${'0'.repeat(64)}`;

describe('parseReference', () => {
  it('takes every tag for a tag', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$/), (tag) => {
        expect(parseReference(tag)).toEqual({ kind: 'tag', tag });
      }),
    );
  });

  it('takes what holds a colon for a digest', () => {
    expect(parseReference(digest)).toEqual({ kind: 'digest', digest });
    expect(() => parseReference('latest:1')).toThrow(expect.objectContaining({ code: 'DIGEST_INVALID', status: 400 }));
  });

  it.each([
    'latest',
    '1',
    '_',
    'V1.0-rc_1',
    '__proto__',
    'constructor',
    `sha256-${'a'.repeat(64)}.sig`,
    'a'.repeat(128),
  ])('D-02 takes the tag %s literally', (tag) => {
    expect(parseTag(tag)).toBe(tag);
  });

  it.each(['', '.a', '-a', 'a'.repeat(129), 'a b', 'a\n', 'a%0d%0a', 'a\r\nX', '🐳', 'a/b', 'a+b', '..', 'a\\b'])(
    'D-02 refuses the tag %j',
    (text) => {
      expect(isTag(text)).toBe(false);
      expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'TAG_INVALID', status: 400 }));
    },
  );

  itIsTotal(parseReference);
});
