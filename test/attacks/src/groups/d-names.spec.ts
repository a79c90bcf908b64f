import { beforeAll, describe, expect, inject, it } from 'vitest';
import { codeOf, jsonOf } from '../wire/http.js';
import { collect, openSocket, sendRaw } from '../wire/raw.js';
import { contentOf, imageOf, IMAGES, MANIFEST_TYPE } from '../world/contents.js';
import { alice, bearer, pushImage, putManifest, send } from '../world/person.js';
import { fillRepositories, makeUser } from '../world/product.js';
import { LIMITS } from '../world/settings.js';
import { until } from '../world/until.js';

const DIGEST = contentOf('nowhere').digest;
const HEX = DIGEST.slice('sha256:'.length);

/** A raw request that ends its connection. */
function rawGet(target: string, headers = 'Host: 127.0.0.1\r\n'): string {
  return `GET ${target} HTTP/1.1\r\n${headers}Connection: close\r\n\r\n`;
}

/** A raw request that starts an upload. */
function post(headers: string, body: string): string {
  return `POST /v2/acme/app/blobs/uploads/ HTTP/1.1\r\nHost: 127.0.0.1\r\n${headers}\r\n${body}`;
}

describe('D: names', () => {
  beforeAll(fillRepositories);

  const wrongNames = [
    '..',
    '.',
    'a/../b',
    'a//b',
    '/a',
    'a/',
    '.a',
    'a.',
    'a_',
    'a___b',
    'a/-b',
    'A',
    'a/B',
    '%C3%A9',
    'a%E2%88%95b',
    'a%00b',
    'a%2Fb',
    'a%5Cb',
    'a%0d%0ab',
    '_catalog',
    'a/_b',
    'a:b',
    'a@b',
    'a b',
    'a'.repeat(256),
    `${'a/'.repeat(200)}a`.slice(0, 257),
  ];
  it.each(wrongNames)('D-01: "%s" is no repository', async (name) => {
    const { port } = inject('product');
    for (const path of [`/v2/${name}/manifests/1`, `/v2/${name}/blobs/${DIGEST}`, `/v2/${name}/tags/list`]) {
      const { statuses, text } = await sendRaw(port, rawGet(path));
      expect([path, statuses.length]).toEqual([path, 1]);
      expect(`${path}: ${statuses[0]}`).toMatch(/: (?:400|404)$/);
      expect(text).not.toMatch(/\r\nb: |ENOENT|\/storage/);
    }
  });

  it('D-01: legal names that look like routes or devices are names', async () => {
    const user = await makeUser('names');
    for (const last of [
      'manifests',
      'blobs/uploads',
      'tags/list',
      'referrers',
      'con',
      'a__b',
      'a--b',
      'v2',
      'x/manifests/y',
    ]) {
      const repository = `${user.name}/${last}`;
      const image = imageOf(repository);
      await pushImage(user, repository, '1', image);
      const got = await user.ask({ path: `/v2/${repository}/manifests/1` });
      expect([repository, got.headers['docker-content-digest']]).toEqual([repository, image.manifest.digest]);
      const tags = jsonOf<{ name: string; tags: string[] }>(await user.ask({ path: `/v2/${repository}/tags/list` }));
      expect(tags).toEqual({ name: repository, tags: ['1'] });
    }
  });

  it('D-02: wrong tags are refused where they are written, and split no header', async () => {
    const { port } = inject('product');
    const tags = [
      '.a',
      '-a',
      'a'.repeat(129),
      'a%20b',
      'a%0d%0aSet-Cookie:x',
      '%F0%9F%90%8B',
      'a+b',
      'a*',
      '%2e%2e',
      'sha256:',
    ];
    const token = await alice.token('repository:acme/app:pull,push');
    for (const tag of tags) {
      const path = `/v2/acme/app/manifests/${tag}`;
      const put = `PUT ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${token}\r\nContent-Length: 2\r\n\r\n{}`;
      const { statuses, text } = await sendRaw(port, put);
      expect([tag, ...statuses]).toEqual([tag, 400]);
      expect(text).not.toMatch(/\r\nSet-Cookie/i);
      const got = await alice.ask({ path });
      expect(`${tag}: ${got.status}`).toMatch(/: (?:400|404)$/);
    }
  });

  it('D-02: tags that mean something elsewhere are plain tags', async () => {
    const user = await makeUser('tags');
    const repository = `${user.name}/app`;
    const tags = ['__proto__', 'constructor', 'toString', 'latest', 'LATEST', 'NaN', 'null', '_', 'a'.repeat(128)];
    for (const tag of tags) await pushImage(user, repository, tag, imageOf(repository));
    const listed = jsonOf<{ tags: string[] }>(await user.ask({ path: `/v2/${repository}/tags/list` }));
    expect(listed.tags).toEqual(tags.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b))));
    for (const tag of tags) expect((await user.ask({ path: `/v2/${repository}/manifests/${tag}` })).status).toBe(200);
  });

  const wrongDigests = [
    `sha256:${HEX.slice(1)}`,
    `sha256:${HEX}0`,
    `sha256:${HEX.toUpperCase().replace(/^./, 'A')}`,
    `SHA256:${HEX}`,
    'sha256:../../x',
    'sha256:..%2f..%2fx',
    `md5:${HEX.slice(0, 32)}`,
    `sha1:${HEX.slice(0, 40)}`,
    `sha512:${HEX}`,
    `sha256+b64:${HEX}`,
    `sha256:sha256:${HEX}`,
    `sha256:${HEX.slice(0, 62)}%00`,
    'sha256:',
    `:${HEX}`,
    `sha256:${HEX.slice(0, 60)}é`,
  ];
  it.each(wrongDigests)('D-03: "%s" is no digest', async (digest) => {
    const { port } = inject('product');
    const token = await alice.token('repository:acme/app:pull,push,delete');
    const login = `Host: x\r\nAuthorization: Bearer ${token}\r\n`;
    for (const path of ['blobs', 'manifests', 'referrers'].map((route) => `/v2/acme/app/${route}/${digest}`)) {
      const { statuses, text } = await sendRaw(port, Buffer.from(rawGet(path, login), 'utf8'));
      expect(`${path}: ${statuses[0]}`).toMatch(/: (?:400|404)$/);
      expect(text).not.toContain('ENOENT');
    }
    const headers = bearer(token);
    for (const query of [`digest=${encodeURIComponent(digest)}`, `mount=${encodeURIComponent(digest)}&from=acme/pub`]) {
      const answer = await send({ method: 'POST', path: `/v2/acme/app/blobs/uploads/?${query}`, headers });
      expect([answer.status, codeOf(answer)]).toEqual([400, 'DIGEST_INVALID']);
    }
  });

  it('D-04: JSON that parsers disagree about is refused, and pollutes nothing', async () => {
    const rest = JSON.stringify(JSON.parse(imageOf('acme/app').manifest.bytes.toString())).slice(1);
    const deep = `{"a":${'['.repeat(10_000)}${']'.repeat(10_000)},${rest}`;
    const texts = [
      `{"schemaVersion":2,${rest}`,
      `{"__proto__":{"polluted":1},"__proto__":{},${rest}`,
      deep,
      `{"x":1e400,${rest}`.replace('"size":', '"size":1e400,"size":'),
      `{"x":"\\ud800",${rest}`,
      `\ufeff{${rest}`,
      `{${rest} x`,
      `{${rest}{}`,
      `{${rest}`.replace('{', '{// no comment\n'),
      `{${rest}`.replace(/\}$/, ',}'),
      `{${rest}`.replaceAll('"', "'"),
      '',
      'null',
      '[]',
      '7',
      `{${rest}`.slice(0, -1),
    ];
    for (const text of texts) {
      const answer = await putManifest(alice, 'acme/app/manifests/odd', contentOf(text));
      expect([text, answer.status, codeOf(answer)]).toEqual([text, 400, 'MANIFEST_INVALID']);
    }
    const sly = imageOf('acme/app', { annotations: JSON.parse('{"__proto__":"x","constructor":"y"}') as object });
    expect((await putManifest(alice, 'acme/app/manifests/sly', sly.manifest)).status).toBe(201);
    const polite = imageOf('acme/app', { annotations: { 'x.y': 'z' } });
    expect((await putManifest(alice, 'acme/app/manifests/polite', polite.manifest)).status).toBe(201);
  });

  it('D-05: no path leads to files', async () => {
    const { port, opsPort } = inject('product');
    const tails = [
      '%2F%2F%2F..%2F..%2Fetc%2Fpasswd',
      '..;/',
      '../../../../etc/passwd',
      '..%5c..%5cetc%5cpasswd',
      '%252e%252e%252fetc%252fpasswd',
      '.git/config',
      '%00',
      '\\..\\..',
    ];
    for (const target of tails.flatMap((tail) =>
      ['/', '/v2/', '/v2/acme/app/blobs/', '/auth/', '/static/', '/docs/'].map((top) => top + tail),
    )) {
      const { statuses, text } = await sendRaw(port, rawGet(target));
      expect(`${target}: ${statuses[0]}`).toMatch(/: (?:400|404)$/);
      expect(text).not.toContain('root:');
    }
    for (const tail of tails)
      expect(`${tail}: ${(await sendRaw(opsPort, rawGet(`/${tail}`))).statuses[0]}`).toMatch(/: (?:400|404)$/);
  });

  it('D-07: HEAD and OPTIONS are no way around GET', async () => {
    for (const path of ['/v2/globex/secret/manifests/1', '/v2/_catalog', '/v2/']) {
      const head = await send({ method: 'HEAD', path });
      const get = await send({ path });
      expect(head.status).toBe(get.status);
      expect(head.headers['www-authenticate']).toBe(get.headers['www-authenticate']);
      expect(head.bytes).toHaveLength(0);
      expect((await send({ method: 'OPTIONS', path })).status).toBe(405);
    }
  });

  it('D-09: paging parameters are bounded or refused', async () => {
    const refused = [
      'n=-1',
      'n=NaN',
      'n=',
      'n=1.5',
      'n=1+OR+1',
      'n=0x10',
      'n=1e3',
      'n=%00',
      'last=%00',
      'last=%0a',
      'n=99999999999999999999',
    ];
    for (const path of ['/v2/_catalog', '/v2/acme/app/tags/list']) {
      const statuses = new Map<string, number>();
      for (const query of refused) statuses.set(query, (await alice.ask({ path: `${path}?${query}` })).status);
      for (const [query, status] of statuses) expect(`${path}?${query}: ${status}`).toMatch(/: (?:200|400)$/);
      expect(statuses.get('n=-1')).toBe(400);
      expect(statuses.get('n=NaN')).toBe(400);
      for (const query of ['last=../', 'last=%25', "last='%20OR%201=1", 'n=0', 'n=1&n=2', 'last=a&last=b']) {
        expect(`${query}: ${(await alice.ask({ path: `${path}?${query}` })).status}`).toMatch(/: (?:200|400)$/);
      }
    }
  });

  it('D-11: Accept headers of any size change neither the digest nor the type', async () => {
    const { manifest } = IMAGES['acme/app'];
    const accepts = [
      Array.from({ length: 1500 }, (_, index) => `application/x.${index}`).join(','),
      '*/*;q=nan',
      '*/*',
      '',
      ',,,,',
      'text/html',
      `${MANIFEST_TYPE};q=0`,
      '"',
    ];
    for (const accept of accepts) {
      const headers = { Accept: accept };
      const byDigest = await alice.ask({ path: `/v2/acme/app/manifests/${manifest.digest}`, headers });
      expect([byDigest.status, byDigest.headers['content-type']]).toEqual([200, MANIFEST_TYPE]);
      expect(contentOf(byDigest.bytes).digest).toBe(manifest.digest);
      const byTag = await alice.ask({ path: '/v2/acme/app/manifests/1', headers });
      expect([200, 404, 406]).toContain(byTag.status);
      expect([manifest.digest, undefined]).toContain(byTag.headers['docker-content-digest']);
    }
  });
});

describe('D: hosts and framing', () => {
  it('D-08: no Host but a loopback one comes back, and Locations are paths', async () => {
    const { port } = inject('product');
    for (const host of [
      'evil.example',
      'evil.example:5000',
      '127.0.0.1@evil.example',
      '127.0.0.1.evil.example',
      '[::2]',
      '',
    ]) {
      const { text, statuses } = await sendRaw(
        port,
        rawGet('/v2/', `Host: ${host}\r\nX-Forwarded-Host: evil.example\r\n`),
      );
      expect(`${host}: ${statuses[0]}`).toMatch(/: (?:400|401)$/);
      expect(text).not.toContain('evil');
      expect(text).not.toContain('::2');
    }
    const { text: own } = await sendRaw(port, rawGet('/v2/', 'Host: localhost:5000\r\n'));
    expect(own).toContain('realm="http://localhost:5000/auth/token"');
    expect((await sendRaw(port, rawGet('/v2/', ''))).statuses).toEqual([400]);
    const headers = { Host: 'evil.example' };
    const started = await alice.ask({ method: 'POST', path: '/v2/acme/app/blobs/uploads/', headers });
    expect(started.status).toBe(202);
    expect(started.headers.location).toMatch(/^\/v2\/acme\/app\/blobs\/uploads\//);
  });

  const smuggled = 'GET /v2/_catalog HTTP/1.1\r\nHost: x\r\n\r\n';
  const framings: [name: string, status: number, request: string][] = [
    [
      'Content-Length with Transfer-Encoding',
      400,
      post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${smuggled}`),
    ],
    [
      'Transfer-Encoding with Content-Length',
      400,
      post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${smuggled}`),
    ],
    ['two Content-Lengths', 400, post('Content-Length: 0\r\nContent-Length: 40\r\n', smuggled)],
    ['chunked, identity', 400, post('Transfer-Encoding: chunked, identity\r\n', `0\r\n\r\n${smuggled}`)],
    ['bare line feeds', 400, `GET /v2/ HTTP/1.1\nHost: x\n\n${smuggled}`],
    ['a folded header', 400, `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: a\r\n b\r\n\r\n${smuggled}`],
    ['a space before the colon', 400, post('Content-Length : 5\r\n', `hello${smuggled}`)],
    ['two Hosts', 400, `GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n`],
    ['64 KiB of one header', 431, `GET /v2/ HTTP/1.1\r\nHost: x\r\nX: ${'a'.repeat(65_536)}\r\n\r\n`],
    ['10,000 headers', 431, `GET /v2/ HTTP/1.1\r\nHost: x\r\n${'a: b\r\n'.repeat(10_000)}\r\n`],
    ['an HTTP/2 preface', 400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ];
  it.each(framings)('D-10: %s is answered once, and the connection is closed', async (_name, status, request) => {
    const answer = await sendRaw(inject('product').port, request);
    expect(answer.statuses).toEqual([status]);
    expect(answer.isClosed).toBe(true);
  });

  it('D-10: pipelined requests are answered in their order, each with its own rights', async () => {
    const token = await alice.token('repository:acme/app:pull');
    const login = `Host: 127.0.0.1\r\nAuthorization: Bearer ${token}\r\n`;
    const requests = [
      `GET /v2/acme/app/manifests/1 HTTP/1.1\r\n${login}\r\n`,
      'GET /v2/acme/app/manifests/1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n',
      `GET /v2/globex/secret/manifests/1 HTTP/1.1\r\n${login}\r\n`,
      `GET /v2/acme/app/tags/list HTTP/1.1\r\n${login}Connection: close\r\n\r\n`,
    ];
    const answer = await sendRaw(inject('product').port, requests.join(''));
    expect(answer.statuses).toEqual([200, 401, 401, 200]);
  });

  it('D-10: slow headers are cut after their time', async () => {
    const socket = await openSocket(inject('product').port);
    socket.write('GET /v2/ HTTP/1.1\r\nHost: x\r\n');
    const dripping = setInterval(() => socket.write('X: y\r\n'), 300);
    const answer = await collect(socket, LIMITS.headerMs + 8000);
    clearInterval(dripping);
    expect(answer.isClosed).toBe(true);
    expect(answer.statuses).toEqual([408]);
  });

  it('D-10: a body that stops is cut after the idle time', async () => {
    const token = await alice.token('repository:acme/app:pull,push');
    const started = await send({ method: 'POST', path: '/v2/acme/app/blobs/uploads/', headers: bearer(token) });
    const socket = await openSocket(inject('product').port);
    const head = `Host: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 100\r\n`;
    socket.write(`PATCH ${started.headers.location} HTTP/1.1\r\n${head}\r\nonly this`);
    const answer = await collect(socket, LIMITS.idleMs + 8000);
    expect(answer.isClosed).toBe(true);
    expect(answer.statuses.filter((status) => status < 400)).toEqual([]);
    const status = { path: started.headers.location ?? '', headers: bearer(token) };
    await until(async () => (await send(status)).headers.range === '0-8', 5000);
  });

  it('D-10: an upgrade to another protocol is not taken, and nothing follows it on the connection', async () => {
    for (const [protocol, connection] of [
      ['h2c', 'Upgrade, HTTP2-Settings'],
      ['websocket', 'keep-alive, Upgrade'],
    ]) {
      const upgrade = `Connection: ${connection}\r\nUpgrade: ${protocol}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`;
      const request = `GET /v2/ HTTP/1.1\r\nHost: x\r\n${upgrade}\r\n${smuggled}`;
      const { statuses, isClosed } = await sendRaw(inject('product').port, request);
      expect([statuses, isClosed]).toEqual([[401], true]);
    }
  });
});
