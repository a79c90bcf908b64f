import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MAX_REPOSITORY_NAME_LENGTH, namespaceOf, parseRepositoryName } from './repository-name.js';
import { itIsTotal, refusalOf } from './total-parser.suite.js';

/** The grammar as the distribution specification prints it. */
const SPECIFIED = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*(\/[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*)*$/;

const component = fc.stringMatching(/^[a-z0-9]{1,6}((\.|_|__|-{1,3})[a-z0-9]{1,6}){0,2}$/);

describe('parseRepositoryName', () => {
  it.each([
    ['hello', 'library/hello'],
    ['acme/app', 'acme/app'],
    ['library/hello', 'library/hello'],
    ['a__b/c--d/e.f_g', 'a__b/c--d/e.f_g'],
    ['manifests', 'library/manifests'],
    ['blobs/uploads', 'blobs/uploads'],
    ['a/manifests/b', 'a/manifests/b'],
    ['con', 'library/con'],
    ['0', 'library/0'],
  ])('takes %s for %s', (text, name) => {
    expect(parseRepositoryName(text)).toBe(name);
  });

  it.each([
    ['..'],
    ['a/../b'],
    ['a//b'],
    ['/a'],
    ['a/'],
    ['/'],
    [''],
    ['.a'],
    ['a.'],
    ['a..b'],
    ['a___b'],
    ['a._b'],
    ['a-_b'],
    ['-a'],
    ['a-'],
    ['a/_b'],
    ['_catalog'],
    ['_oci/ext'],
    ['A'],
    ['acme/App'],
    ['é'],
    ['a\u2215b'],
    ['a%00'],
    ['a%2fb'],
    ['a\0b'],
    ['a\n'],
    ['a b'],
    ['a:b'],
    ['a;b/c'],
    ['a\\b'],
    ['__proto__'],
  ])('D-01 refuses %j', (text) => {
    expect(() => parseRepositoryName(text)).toThrow(expect.objectContaining({ code: 'NAME_INVALID', status: 400 }));
  });

  it('D-01 limits the whole name', () => {
    const longest = `a/${'b'.repeat(MAX_REPOSITORY_NAME_LENGTH - 2)}`;
    expect(parseRepositoryName(longest)).toBe(longest);
    expect(() => parseRepositoryName(`${longest}b`)).toThrow('longer than 255');
    expect(() => parseRepositoryName('b'.repeat(MAX_REPOSITORY_NAME_LENGTH - 7))).toThrow('longer than 255');
    expect(() => parseRepositoryName(`${'a/'.repeat(200)}a`)).toThrow('longer than 255');
    expect(parseRepositoryName(`${'a/'.repeat(127)}a`)).toHaveLength(MAX_REPOSITORY_NAME_LENGTH);
  });

  it('agrees with the grammar of the specification', () => {
    const texts = fc.string({ unit: fc.constantFrom(...'aZ0._-/'), minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(texts, (text) => {
        expect(refusalOf(() => parseRepositoryName(text)) === undefined).toBe(SPECIFIED.test(text));
      }),
      { numRuns: 2000 },
    );
  });

  it('is canonical once and for all', () => {
    fc.assert(
      fc.property(fc.array(component, { minLength: 1, maxLength: 4 }), (components) => {
        const name = parseRepositoryName(components.join('/'));
        expect(parseRepositoryName(name)).toBe(name);
        expect(namespaceOf(name)).toBe(components.length === 1 ? 'library' : components[0]);
      }),
    );
  });

  itIsTotal(parseRepositoryName);
});
