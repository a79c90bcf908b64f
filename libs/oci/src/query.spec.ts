import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_QUERY_PARAMETERS, parseQuery } from './query.js';
import { itIsTotal } from './total-parser.suite.js';

const parameters = (count: number) => Array.from({ length: count }, (_, index) => `tag=${index}`).join('&');

describe('parseQuery', () => {
  it('gives the first and all of the values, as the form encoding has them', () => {
    const query = parseQuery('tag=a&tag=b&from=acme%2Fapp&artifactType=application/x%2Bjson&empty=&bare&x=1+2&y=a=b');
    expect(query.first('tag')).toBe('a');
    expect(query.all('tag')).toEqual(['a', 'b']);
    expect(query.first('from')).toBe('acme/app');
    expect(query.first('artifactType')).toBe('application/x+json');
    expect(query.first('empty')).toBe('');
    expect(query.first('bare')).toBe('');
    expect(query.first('x')).toBe('1 2');
    expect(query.first('y')).toBe('a=b');
    expect(query.first('absent')).toBeUndefined();
    expect(query.all('absent')).toEqual([]);
  });

  it('D-04 gives no parameter that was not sent', () => {
    const query = parseQuery('');
    for (const name of ['__proto__', 'constructor', 'toString', '']) expect(query.first(name)).toBeUndefined();
    expect(parseQuery('__proto__=1').first('__proto__')).toBe('1');
  });

  it('reads what URLSearchParams writes', () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    const printable = fc.string({ unit: 'grapheme' }).filter((text) => !/\p{Cc}/u.test(text));
    fc.assert(
      fc.property(fc.array(fc.tuple(name, printable), { maxLength: 10 }), (pairs) => {
        const query = parseQuery(new URLSearchParams(pairs).toString());
        for (const [key] of pairs) expect(query.all(key)).toEqual(pairs.filter(([k]) => k === key).map(([, v]) => v));
      }),
    );
  });

  it.each([
    'a=%',
    'a=%2',
    'a=%zz',
    'a=%ff',
    'a=%c0%af',
    'a=%ed%a0%80',
    '%=1',
    'a=%00',
    'a=%0d%0aX:y',
    'a=\u0000',
    'a=%7f',
  ])('D-09 refuses %j', (raw) => {
    expect(() => parseQuery(raw)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', status: 400 }));
  });

  it('limits the number of parameters', () => {
    expect(parseQuery(parameters(MAX_QUERY_PARAMETERS)).all('tag')).toHaveLength(MAX_QUERY_PARAMETERS);
    expect(() => parseQuery(parameters(MAX_QUERY_PARAMETERS + 1))).toThrow(
      expect.objectContaining({ code: 'SIZE_INVALID', status: 414 }),
    );
    expect(() => parseQuery('&'.repeat(1_000_000))).toThrow(expect.objectContaining({ status: 414 }));
  });

  itIsTotal(parseQuery);
});
