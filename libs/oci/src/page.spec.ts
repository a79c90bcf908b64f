import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nextLink, parsePage } from './page.js';
import { parseQuery } from './query.js';
import { itIsTotal } from './total-parser.suite.js';

const tags = { defaultN: 100, maxN: 1000, above: 'clamp' } as const;
const catalog = { ...tags, above: 'refuse' } as const;
const page = (n?: string, last?: string, bounds: typeof tags | typeof catalog = tags) => parsePage({ n, last }, bounds);

describe('parsePage', () => {
  it.each([
    [undefined, 100],
    ['0', 0],
    ['1', 1],
    ['1000', 1000],
    ['007', 7],
  ])('takes n=%s for %i', (text, n) => {
    expect(page(text)).toEqual({ n });
    expect(page(text, undefined, catalog)).toEqual({ n });
  });

  it.each(['1001', '2147483647', '9'.repeat(32)])(
    'D-09 G-03 takes the maximum for n=%s of tags, and 400s the catalog',
    (n) => {
      expect(page(n)).toEqual({ n: 1000 });
      expect(() => page(n, undefined, catalog)).toThrow('n must be a whole number from 0 to 1000');
    },
  );

  it.each(['', '-1', '-0', '+1', '1.0', '1e9', 'NaN', 'Infinity', ' 1', '1 OR 1', '0x10', '١', '9'.repeat(33)])(
    'D-09 refuses n=%j',
    (n) => {
      expect(() => page(n)).toThrow(expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID', status: 400 }));
    },
  );

  it('takes any last for the place to go on from, and an empty one for the beginning', () => {
    expect(page('1', '../x')).toEqual({ n: 1, last: '../x' });
    expect(page('1', '')).toEqual({ n: 1 });
    expect(() => page('1', 'x'.repeat(513))).toThrow(expect.objectContaining({ code: 'PAGINATION_NUMBER_INVALID' }));
  });

  itIsTotal((n) => parsePage({ n, last: n }, catalog));
});

describe('nextLink', () => {
  it('leads to the next page', () => {
    expect(nextLink('/v2/a/b/tags/list', 2, 'v1.0')).toBe('</v2/a/b/tags/list?n=2&last=v1.0>; rel="next"');
    expect(nextLink('/v2/a/b/referrers/x?artifactType=y', 2, 'z')).toContain('?artifactType=y&n=2&last=z>');
  });

  it('survives its own round trip', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (last) => {
        const [, raw = ''] = /\?(.*)>; rel="next"$/.exec(nextLink('/v2/_catalog', 5, last)) ?? [];
        const query = parseQuery(raw);
        expect(page(query.first('n'), query.first('last'))).toEqual({ n: 5, last });
      }),
    );
  });
});
