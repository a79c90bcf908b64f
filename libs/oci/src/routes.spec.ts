import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { matchRoute, MAX_URL_LENGTH, ROUTES, splitTarget, type RouteName } from './routes.js';
import { itIsTotal, refusalOf } from './total-parser.suite.js';

const sha256 = `sha256:${'a'.repeat(64)}`;
const sha512 = `sha512:${'b'.repeat(128)}`;
const EXAMPLES = { reference: 'latest', digest: sha256, uploadId: '0b9a_-Z' };

const fill = (path: string, name: string) =>
  path.replace('{name}', name).replace(/\{(\w+)\}/, (_, key: keyof typeof EXAMPLES) => EXAMPLES[key]);
const rowOf = (route: RouteName) => ROUTES.find((row) => row.route === route) ?? ROUTES[0];

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'get', 'CONNECT', ''];

/** Names made of the words of the routes themselves. */
const trapNames = fc
  .array(fc.constantFrom('manifests', 'blobs', 'uploads', 'tags', 'list', 'referrers', 'v2', 'a', 'latest'), {
    minLength: 2,
    maxLength: 6,
  })
  .map((words) => words.join('/'));

describe('matchRoute', () => {
  it.each([
    ['/v2/', { route: 'base' }],
    ['/v2', { route: 'base' }],
    ['/v2?x', { route: 'base', query: 'x' }],
    ['/v2/_catalog?n=5&last=a', { route: 'catalog', query: 'n=5&last=a' }],
    ['/v2/hello/tags/list', { route: 'tags', name: 'library/hello' }],
    ['/v2/acme/app/manifests/1.0', { route: 'manifest', name: 'acme/app', reference: { kind: 'tag', tag: '1.0' } }],
    [`/v2/a/b/manifests/${sha512}`, { route: 'manifest', reference: { kind: 'digest', digest: sha512 } }],
    [`/v2/a/b/blobs/${sha256}`, { route: 'blob', name: 'a/b', digest: sha256 }],
    [`/v2/a/b/referrers/${sha256}?artifactType=x%2Fy`, { route: 'referrers', query: 'artifactType=x%2Fy' }],
    ['/v2/a/b/blobs/uploads/0-_z', { route: 'upload', name: 'a/b', uploadId: '0-_z' }],
    ['/v2/a/b/blobs/uploads/x?_state=a%3D?b', { route: 'upload', query: '_state=a%3D?b' }],
  ])('takes GET %s apart', (url, match) => {
    expect(matchRoute('GET', url)).toMatchObject({ method: 'GET', query: '', ...match });
  });

  it.each(['/v2/a/b/blobs/uploads/', '/v2/a/b/blobs/uploads', '/v2/a/b/blobs/uploads?digest=x'])('opens %s', (url) => {
    expect(matchRoute('POST', url)).toMatchObject({ route: 'uploads', name: 'a/b' });
  });

  it.each([
    ['/v2/a/manifests/manifests/b', 'manifest', 'a/manifests'],
    ['/v2/manifests/manifests/manifests', 'manifest', 'library/manifests'],
    ['/v2/a/blobs/manifests/uploads', 'manifest', 'a/blobs'],
    ['/v2/blobs/uploads/manifests/x', 'manifest', 'blobs/uploads'],
    ['/v2/a/tags/list/tags/list', 'tags', 'a/tags/list'],
    ['/v2/a/manifests/tags/list', 'tags', 'a/manifests'],
    [`/v2/x/blobs/blobs/${sha256}`, 'blob', 'x/blobs'],
    [`/v2/a/blobs/uploads/blobs/${sha256}`, 'blob', 'a/blobs/uploads'],
    ['/v2/a/blobs/uploads/list', 'upload', 'library/a'],
    ['/v2/v2/tags/list', 'tags', 'library/v2'],
  ])('trap 7 reads %s from the right', (url, route, name) => {
    expect(matchRoute('GET', url)).toMatchObject({ route, name });
  });

  it('trap 7 finds every route for every name', () => {
    fc.assert(
      fc.property(trapNames, fc.constantFrom(...ROUTES), (name, row) => {
        const match = matchRoute(row.methods[0], fill(row.path, name));
        expect(match.route).toBe(row.route);
        expect('name' in match ? match.name : name).toBe(name);
      }),
      { numRuns: 1000 },
    );
  });

  it.each(['%3A', '%3a'])('trap 6 reads the colon of a digest that a proxy wrote as %s', (colon) => {
    const url = `/v2/a/b/manifests/sha256${colon}${'a'.repeat(64)}`;
    expect(matchRoute('GET', url)).toMatchObject({ reference: { kind: 'digest', digest: sha256 } });
  });

  describe.each(ROUTES)('$route', ({ route, path, methods }) => {
    const url = fill(path, 'a/b');
    const taken: readonly string[] = methods;

    it.each(taken)('takes %s', (method) => {
      expect(matchRoute(method, url)).toMatchObject({ route, method });
    });

    it.each(METHODS.filter((method) => !taken.includes(method)))(
      'refuses the method %j, and names the others',
      (method) => {
        expect(() => matchRoute(method, url)).toThrow(refusing('UNSUPPORTED', 405, { Allow: taken.join(', ') }));
      },
    );
  });

  it('C-02 takes the absolute form for the path that it holds', () => {
    for (const prefix of ['http://host', 'HTTPS://user@host:5000', 'http://']) {
      expect(matchRoute('GET', `${prefix}/v2/a/b/tags/list?n=1`)).toEqual(matchRoute('GET', '/v2/a/b/tags/list?n=1'));
    }
    expect(() => matchRoute('GET', 'http://host/etc')).toThrow(refusing('UNSUPPORTED', 404));
  });
});

describe('matchRoute against other spellings', () => {
  it.each([
    '',
    '/',
    '*',
    '/v1/_ping',
    '/V2/',
    '/v2x',
    '/v2.json',
    '//v2/',
    '/v2//',
    '/./v2/',
    '/%762/',
    '/v2/.',
    '/v2/..',
    '/v2/../v2/',
    '/v2\\',
    '/v2/#',
    '/v2/;x',
    'v2/',
    'host/v2/',
    'ftp://host/v2/',
    '/v2/_catalog/',
    '/v2/_Catalog',
    '/v2/_catalog.json',
    '/v2/%5fcatalog',
    '/v2/a/../_catalog',
    '/v2/_oci/ext/discover',
    '/v2/tags/list',
    '/v2/manifests/latest',
    '/v2/blobs/uploads/x',
    '/v2/a/tags/list/',
    '/v2/a/tags/list;x',
    '/v2/a/tags/%6cist',
    '/v2/a/tags//list',
    '/v2/a/Tags/list',
    '/v2/a/manifests/',
    '/v2/a/manifests%2Flatest',
    `/v2/a/blobs/${sha256}/`,
    '/v2/a/blobs/uploads/x/',
    '/v2/a/blobs/uploads//',
    '/v2/a/blobs%2Fuploads/',
    '/%2F%2F%2F..%2F..%2Fetc%2Fpasswd',
    '/..;/',
    '/static/..%5c..',
  ])('C-02 D-05 has no endpoint %s', (url) => {
    for (const method of ['GET', 'POST']) expect(() => matchRoute(method, url)).toThrow(refusing('UNSUPPORTED', 404));
  });

  it.each([
    '/v2//tags/list',
    '/v2//a/tags/list',
    '/v2/a//tags/list',
    '/v2/a/./tags/list',
    '/v2/./a/tags/list',
    '/v2/a/../b/tags/list',
    '/v2/a%2Fb/tags/list',
    '/v2/a%2fb/tags/list',
    '/v2/a%252Fb/tags/list',
    '/v2/%2e%2e/tags/list',
    '/v2/a/%2e/tags/list',
    '/v2/%61/tags/list',
    '/v2/a%00/tags/list',
    '/v2/a%3Ab/tags/list',
    '/v2/a:443/b/tags/list',
    '/v2/a;x/tags/list',
    '/v2/a\\b/tags/list',
    '/v2/A/tags/list',
    '/v2/a#/tags/list',
    '/v2/a b/tags/list',
    '/v2/_catalog/tags/list',
    '/v2/_oci/tags/list',
    '/v2/é/tags/list',
    `/v2/${'a/'.repeat(130)}tags/list`,
  ])('C-02 D-01 refuses the name in %s', (url) => {
    expect(() => matchRoute('GET', url)).toThrow(refusing('NAME_INVALID', 400));
  });

  it.each(['..', '.', 'x#y', 'x;y', '%78', 'x%0d%0a', '.INVALID_MANIFEST_NAME'])(
    'C-02 D-02 finds no tag %s to read, and takes none to write',
    (tag) => {
      for (const method of ['GET', 'HEAD']) {
        expect(() => matchRoute(method, `/v2/a/manifests/${tag}`)).toThrow(refusing('MANIFEST_UNKNOWN', 404));
      }
      for (const method of ['PUT', 'DELETE']) {
        expect(() => matchRoute(method, `/v2/a/manifests/${tag}`)).toThrow(refusing('TAG_INVALID', 400));
      }
    },
  );

  it.each([
    ['/v2/a/manifests/sha256:baddigeststring', 'DIGEST_INVALID'],
    ['/v2/a/blobs/latest', 'DIGEST_INVALID'],
    ['/v2/a/blobs/sha256:..%2f..', 'DIGEST_INVALID'],
    [`/v2/a/blobs/sha256%253A${'a'.repeat(64)}`, 'DIGEST_INVALID'],
    ['/v2/a/referrers/x', 'DIGEST_INVALID'],
    ['/v2/a/blobs/uploads/..', 'BLOB_UPLOAD_INVALID'],
    ['/v2/a/blobs/uploads/%2e', 'BLOB_UPLOAD_INVALID'],
    [`/v2/a/blobs/uploads/${'x'.repeat(129)}`, 'BLOB_UPLOAD_INVALID'],
  ])('C-02 D-02 D-03 refuses %s with %s', (url, code) => {
    expect(() => matchRoute('GET', url)).toThrow(refusing(code, 400));
  });

  it('gives no damaged path to another route or another name', () => {
    const marks = fc.constantFrom(
      '/',
      '//',
      '/./',
      '/../',
      '%2F',
      '%2e',
      '%00',
      ';x',
      '\\',
      '#',
      '.json',
      '%',
      ':',
      '%3A',
    );
    fc.assert(
      fc.property(fc.constantFrom(...ROUTES), marks, fc.nat(60), (row, mark, at) => {
        const path = fill(row.path, 'acme/app');
        const damaged = path.slice(0, at) + mark + path.slice(at);
        const method = row.methods[0];
        if (refusalOf(() => matchRoute(method, damaged)) !== undefined) return;
        const match = matchRoute(method, damaged);
        // A slash, a dot or a colon can make another valid path; it is then exactly the path that it spells.
        const rebuilt = spell(match);
        expect([rebuilt, rebuilt.replace(/\/$/, '')]).toContain(damaged.replaceAll(/%3a/gi, ':'));
      }),
      { numRuns: 3000 },
    );
  });

  it('limits the length of a URL', () => {
    expect(() => matchRoute('GET', `/v2/?${'a'.repeat(MAX_URL_LENGTH)}`)).toThrow(refusing('SIZE_INVALID', 414));
    expect(matchRoute('GET', `/v2/?${'a'.repeat(MAX_URL_LENGTH - 5)}`).route).toBe('base');
  });

  itIsTotal(
    (url) => matchRoute('GET', url),
    fc.tuple(trapNames, fc.string()).map(([name, rest]) => `/v2/${name}/${rest}`),
  );
});

describe('splitTarget', () => {
  it.each([
    ['/a?b?c', { path: '/a', query: 'b?c' }],
    ['/a', { path: '/a', query: '' }],
    ['http://h:1?x', { path: '', query: 'x' }],
    ['//h/v2/', { path: '//h/v2/', query: '' }],
  ])('cuts %s', (url, target) => {
    expect(splitTarget(url)).toEqual(target);
  });
});

function refusing(code: string, status: number, headers: object = {}): Error {
  return expect.objectContaining({ code, status, headers: expect.objectContaining(headers) as object }) as Error;
}

/** The path of a match, from its parts. */
function spell(match: ReturnType<typeof matchRoute>): string {
  const { path } = rowOf(match.route);
  const name = 'name' in match ? match.name : '';
  return path
    .replace('{name}', name)
    .replace('{digest}', 'digest' in match ? match.digest : '')
    .replace('{uploadId}', 'uploadId' in match ? match.uploadId : '')
    .replace('{reference}', () => {
      if (match.route !== 'manifest') return '';
      return match.reference.kind === 'tag' ? match.reference.tag : match.reference.digest;
    });
}
