import { describe, expect, it } from 'vitest';
import { readAuthorization } from './read-authorization.js';

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;
const read = (...values: string[]) => readAuthorization(values.flatMap((value) => ['Authorization', value]));

describe('readAuthorization', () => {
  it('is none without the header, and for the empty credentials that clients send for anonymous', () => {
    expect(readAuthorization([])).toEqual({ kind: 'none' });
    expect(readAuthorization(['Host', 'registry', 'Accept', '*/*'])).toEqual({ kind: 'none' });
    expect(read('Basic Og==')).toEqual({ kind: 'none' });
  });

  it('reads Basic credentials; the password may hold colons and any text', () => {
    expect(read(basic('alice:a:b:ü '))).toEqual({ kind: 'basic', name: 'alice', password: 'a:b:ü ' });
    expect(read(basic('alice:'))).toEqual({ kind: 'basic', name: 'alice', password: '' });
    expect(read(`bAsIc   ${Buffer.from('a:b').toString('base64')}  `)).toEqual({
      kind: 'basic',
      name: 'a',
      password: 'b',
    });
  });

  it('reads a bearer token in any case of the scheme (B-12)', () => {
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect(read(`${scheme} abc.def `)).toEqual({ kind: 'bearer', token: 'abc.def' });
    }
  });

  it('finds the header whatever its case', () => {
    expect(readAuthorization(['AUTHORIZATION', 'Bearer x'])).toEqual({ kind: 'bearer', token: 'x' });
  });

  it('never guesses: two headers, other schemes, broken encodings (B-12)', () => {
    expect(read('Bearer a', 'Bearer b')).toEqual({ kind: 'malformed' });
    for (const value of [
      'Bearer',
      'Bearer a b',
      'Bearer ',
      'Digest x',
      '',
      'Basic',
      'Basic !!!!',
      'Basic YQ==',
      `Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`,
      basic(`a:${'x'.repeat(4096)}`),
    ]) {
      expect(read(value)).toEqual({ kind: 'malformed' });
    }
  });
});
