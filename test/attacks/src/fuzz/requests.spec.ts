import * as fc from 'fast-check';
import { afterEach, beforeAll, describe, expect, it } from 'vitest';
import { contentOf, IMAGES } from '../world/contents.js';
import { alice } from '../world/person.js';
import { fillRepositories } from '../world/product.js';
import { requireAlive, requireEnd } from './connections.js';
import { mutated } from './mutations.js';
import { fuzz, FUZZ_TIMEOUT_MS } from './time-box.js';

const { layer, manifest } = IMAGES['acme/app'];
const UPLOADS = '/v2/acme/app/blobs/uploads/';

/** Every route, as targets. */
const TARGETS = [
  '/v2/',
  '/v2/_catalog?n=10&last=a',
  '/v2/acme/app/tags/list?n=5&last=1',
  '/v2/acme/app/manifests/1',
  `/v2/acme/app/manifests/${manifest.digest}?tag=a&tag=b`,
  `/v2/acme/app/blobs/${layer.digest}`,
  `/v2/acme/app/referrers/${manifest.digest}?artifactType=application/x`,
  `${UPLOADS}?mount=${layer.digest}&from=acme/pub`,
  `${UPLOADS}?digest=${contentOf('').digest}&digest-algorithm=sha256`,
  `${UPLOADS}00000000-0000-4000-8000-000000000000?_state=v1.0.${'A'.repeat(43)}`,
  '/auth/token?service=entrepot&scope=repository:acme/app:pull,push&account=alice&offline_token=true',
  '/auth/jwks',
  '/livez',
  '/readyz',
];
const METHODS = [
  'GET',
  'HEAD',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'OPTIONS',
  'TRACE',
  'PURGE',
  'get',
  'GET /v2/ HTTP/1.1\r\n',
  '',
];
const PATH_FRAGMENTS = [
  '/',
  '//',
  '/../',
  '%2F',
  '%2e%2e',
  '%00',
  '%',
  '%zz',
  '%ff',
  '?',
  '&',
  '#',
  ';',
  ':',
  '@',
  'é',
  ' ',
  '\t',
  '\0',
  '__proto__',
  'blobs/uploads/',
  '/manifests/',
  'tags/list',
  'sha512:',
  'sha256:',
  'n=-1',
  'last=',
  'digest=',
  'mount=',
  '_state=',
  '9'.repeat(30),
  'a'.repeat(300),
  'http://x',
  '*',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.0', 'HTTP/1.2', 'HTTP/2.0', 'HTTP/9.9', ''];

/** Headers that something reads. */
const HEADERS = [
  'Host: 127.0.0.1',
  'Content-Length: 0',
  'Content-Length: 5',
  'Transfer-Encoding: chunked',
  'Content-Type: application/vnd.oci.image.manifest.v1+json',
  'Content-Range: 0-4',
  'Range: bytes=0-4',
  'If-None-Match: "x"',
  'If-Range: "x"',
  'Accept: application/vnd.oci.image.manifest.v1+json, */*;q=0.1',
  'Authorization: Basic YWxpY2U6eA==',
  'Authorization: Bearer a.b.c',
  'Expect: 100-continue',
  'Connection: keep-alive, Upgrade',
  'Upgrade: websocket',
  'X-Forwarded-For: 1.2.3.4, ::1',
  'X-Forwarded-Host: evil',
  'X-HTTP-Method-Override: DELETE',
  'X-Request-Id: 1',
  'Trailer: X',
  'TE: trailers',
  'Cookie: a=b',
  'Origin: http://evil',
  'User-Agent: fuzz',
  'Content-Encoding: gzip',
];
const HEADER_FRAGMENTS = [
  ':',
  ' ',
  '\t',
  '\r',
  '\n',
  '\r\n',
  '\0',
  ',',
  ';',
  '"',
  '=',
  '-',
  '--',
  'bytes=',
  '0-',
  '18446744073709551616',
  '9007199254740993',
  '-1',
  'chunked',
  'identity',
  'é',
  '\u007f',
  'a'.repeat(2000),
  'q=',
  '*/*',
];
const BODIES = [
  '',
  'hello',
  '5\r\nhello\r\n0\r\n\r\n',
  '0\r\n\r\n',
  'zz\r\n',
  '{"schemaVersion":2}',
  'ffffffffffffffff\r\n',
  'a=b&c=d',
];

describe('fuzzing of requests', () => {
  let authorization: string;
  beforeAll(async () => {
    await fillRepositories();
    authorization = `Authorization: Bearer ${await alice.token('repository:acme/app:pull', 'registry:catalog:*')}\r\n`;
  });
  afterEach(requireAlive);

  it(
    'routes: mutated request lines are answered, and by no fault',
    async () => {
      const line = fc.record({
        method: fc.oneof({ weight: 6, arbitrary: fc.constantFrom('GET', 'HEAD', 'POST') }, fc.constantFrom(...METHODS)),
        target: mutated(TARGETS, PATH_FRAGMENTS),
        version: fc.oneof({ weight: 9, arbitrary: fc.constant('HTTP/1.1') }, fc.constantFrom(...VERSIONS)),
        isKnown: fc.boolean(),
      });
      expect(
        await fuzz('routes', line, ({ method, target, version, isKnown }) => {
          const login = isKnown ? authorization : '';
          return requireEnd(`${method} ${target} ${version}\r\nHost: 127.0.0.1\r\n${login}Connection: close\r\n\r\n`);
        }),
      ).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );

  it(
    'headers: mutated, repeated and contradicting ones are answered, and by no fault',
    async () => {
      const request = fc.record({
        method: fc.constantFrom('GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'),
        target: fc.constantFrom(...TARGETS),
        headers: fc.array(mutated(HEADERS, HEADER_FRAGMENTS), { maxLength: 8 }),
        isKnown: fc.boolean(),
        body: fc.constantFrom(...BODIES),
      });
      expect(
        await fuzz('headers', request, ({ method, target, headers, isKnown, body }) => {
          const login = isKnown ? authorization : '';
          const lines = headers.map((header) => `${header}\r\n`).join('');
          const head = `${method} ${target} HTTP/1.1\r\nHost: 127.0.0.1\r\n${login}${lines}Connection: close\r\n\r\n`;
          return requireEnd(head + body);
        }),
      ).toBeGreaterThan(0);
    },
    FUZZ_TIMEOUT_MS,
  );
});
