import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, parseJson, type JsonLimits } from './json.js';
import { refusalOf } from './total-parser.suite.js';

const parse = (text: string, limits?: Partial<JsonLimits>) => parseJson(new TextEncoder().encode(text), limits);

describe('parseJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 8 }), fc.constantFrom(0, 1, '\t'), (value, indent) => {
        const text = JSON.stringify(value, null, indent);
        expect(JSON.stringify(parse(text))).toBe(JSON.stringify(JSON.parse(text)));
      }),
    );
  });

  it('never reads what JSON.parse refuses, nor reads it differently', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '"\\u00e9"',
      '1',
      '-0',
      '1e2',
      '01',
      'null',
      ' ',
    );
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 9 }), (words) => {
        const text = words.join('');
        const refusal = refusalOf(() => parse(text));
        const isRight =
          refusal === undefined
            ? JSON.stringify(parse(text)) === JSON.stringify(JSON.parse(text))
            : refusal instanceof JsonError;
        expect(isRight).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });

  it('takes any bytes, or refuses them with a JsonError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const refusal = refusalOf(() => parseJson(bytes));
        expect(refusal === undefined || refusal instanceof JsonError).toBe(true);
      }),
    );
  });

  it('reads any string that JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(parse(JSON.stringify(text))).toBe(text);
      }),
    );
  });

  it.each([
    [String.raw`"\u00e9\n\t\b\f\r\/\\\""`, 'é\n\t\b\f\r/\\"'],
    [String.raw`"\ud83d\udc33"`, '🐳'],
    ['"🐳"', '🐳'],
    ['-0.5e+1', -5],
    [' \r\n\t null ', null],
    ['true', true],
    ['false', false],
    ['[]', []],
  ])('reads %s', (text, value) => {
    expect(parse(text)).toEqual(value);
  });

  it.each([
    ['repeated keys', '{"layers":[],"layers":[]}', 13],
    ['repeated keys in other spelling', String.raw`{"a":1,"\u0061":2}`, 7],
    ['trailing data', '{} {}', 3],
    ['trailing bytes', '{}\0', 2],
    ['comments', '{/* */}', 1],
    ['a trailing comma in an object', '{"a":1,}', 7],
    ['a trailing comma in an array', '[1,]', 3],
    ['a missing comma', '[1 2]', 3],
    ['a missing colon', '{"a" 1}', 5],
    ['a key without quotes', '{a:1}', 1],
    ['single quotes', "{'a':1}", 1],
    ['a leading zero', '01', 1],
    ['a leading plus', '+1', 0],
    ['a bare fraction', '.5', 0],
    ['an open fraction', '1.', 1],
    ['an open exponent', '1e', 1],
    ['hexadecimal', '0x10', 1],
    ['NaN', 'NaN', 0],
    ['Infinity', '-Infinity', 0],
    ['a number beyond a double', '1e400', 0],
    ['a negative number beyond a double', '[-1e400]', 1],
    ['a lone high surrogate', String.raw`"\ud83d"`, 0],
    ['a lone low surrogate', String.raw`"\udc33x"`, 0],
    ['surrogates in the wrong order', String.raw`"\udc33\ud83d"`, 0],
    ['an unknown escape', String.raw`"\x41"`, 1],
    ['an escape that is a property of every object', String.raw`"\constructor"`, 1],
    ['a short unicode escape', String.raw`"\u12"`, 1],
    ['a signed unicode escape', String.raw`"\u-123"`, 1],
    ['a raw line break in a string', '"a\nb"', 2],
    ['an open string', '"abc', 0],
    ['an open escape', '"abc\\', 4],
    ['an open array', '[1', 2],
    ['a half word', 'tru', 0],
    ['nothing', '', 0],
    ['a byte order mark', '\ufeff{}', 0],
    ['a no-break space', '\u00a0{}', 0],
  ])('D-04 E-05 refuses %s', (_, text, position) => {
    const refusal = refusalOf(() => parse(text));
    expect(refusal).toBeInstanceOf(JsonError);
    expect(refusal).toMatchObject({ position });
  });

  it.each([
    [[0x22, 0xff, 0x22]],
    [[0x22, 0xed, 0xa0, 0x80, 0x22]],
    [[0x22, 0xc0, 0xaf, 0x22]],
    [[0x22, 0xe2, 0x82, 0x22]],
  ])('D-04 refuses the malformed UTF-8 %j', (bytes) => {
    expect(() => parseJson(Uint8Array.from(bytes))).toThrow('malformed UTF-8');
  });

  it('D-04 bounds the depth', () => {
    expect(parse(`${'['.repeat(32)}${']'.repeat(32)}`)).toBeDefined();
    expect(() => parse(`${'['.repeat(33)}${']'.repeat(33)}`)).toThrow('nesting deeper than 32 at position 32');
    expect(() => parse('{"a":'.repeat(10_000))).toThrow('nesting deeper than 32');
    expect(() => parse('[['.repeat(1000), { maxDepth: 3 })).toThrow('nesting deeper than 3');
  });

  it('D-04 keeps the keys that JavaScript gives a meaning', () => {
    const value = parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}},"toString":2}');
    expect(Object.keys(value as object)).toEqual(['__proto__', 'constructor', 'toString']);
    expect(value).not.toBeInstanceOf(Object);
    expect(Object.keys(Object.getPrototypeOf(value) as object)).toEqual([]);
    expect('polluted' in {}).toBe(false);
    expect(() => parse('{"__proto__":1,"__proto__":2}')).toThrow('repeated key');
  });

  it('G-01 bounds the number of values, whatever their kind', () => {
    expect(parse('[1,{"a":[]}]', { maxValues: 4 })).toEqual([1, { a: [] }]);
    expect(() => parse('[1,{"a":[]}]', { maxValues: 3 })).toThrow('more than 3 values at position 8');
    for (const value of ['0', '[]', '{}', '""', 'null']) {
      expect(() => parse(`[${`${value},`.repeat(1_000_000)}0]`)).toThrow('more than 250000 values');
    }
  });

  it('G-01 reads four mebibytes of the worst there is', () => {
    const sizeBytes = 4 * 1024 * 1024;
    expect(parse(`"${'\\n'.repeat(sizeBytes / 2)}"`)).toHaveLength(sizeBytes / 2);
    expect(() => parse('9'.repeat(sizeBytes))).toThrow('number out of range');
    expect(() => parse(' '.repeat(sizeBytes))).toThrow('unexpected end');
  });
});
