import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from './client.js';
import { withQuery } from './target.js';

interface Seen {
  readonly line: string;
  readonly headers: readonly string[];
  readonly body: string;
}

const scope = 'repository:a/b:pull,push repository:c/d:pull';
const seen: Seen[] = [];
let registry: URL;

const server = http.createServer(async (request, response) => {
  const { method, url = '', rawHeaders, headers } = request;
  seen.push({ line: `${method} ${url}`, headers: rawHeaders, body: await text(request) });
  if (url.startsWith('/token')) response.end('{"token":"one","access_token":"two"}');
  else if (url === '/v2/a/b/blobs/moved') response.writeHead(307, { Location: '/v2/a/b/blobs/here' }).end();
  else if (headers.authorization === undefined) {
    const challenge = `Bearer realm="http://${headers.host}/token",service="registry",scope="${scope}"`;
    response.writeHead(401, { 'WWW-Authenticate': challenge }).end();
  } else response.end('content');
});

beforeAll(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  registry = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
beforeEach(() => seen.splice(0));
afterAll(() => new Promise((resolve) => server.close(resolve)));

const anonymous = {
  credentials: { username: '', password: '' },
  preferredField: 'access_token',
  keepsTokens: true,
} as const;

/** The values of a header in the order in which its lines came. */
function values({ headers }: Seen, name: string): string[] {
  return headers.filter((_, i) => i % 2 === 1 && headers[i - 1]?.toLowerCase() === name);
}

describe('createClient', () => {
  it('asks the realm with empty credentials and the scope list as one value', async () => {
    const reply = await createClient(anonymous).send({ method: 'GET', url: new URL('/v2/a/b/blobs/x', registry) });
    const [, realm, again] = seen;
    expect(reply.body.toString()).toBe('content');
    expect(realm?.line).toBe(
      'GET /token?scope=repository%3Aa%2Fb%3Apull%2Cpush+repository%3Ac%2Fd%3Apull&service=registry',
    );
    expect(realm && values(realm, 'authorization')).toEqual(['Basic Og==']);
    expect(again && values(again, 'authorization')).toEqual(['Bearer two']);
  });

  it('keeps a token for the same kind of access to the same repository only', async () => {
    const credentials = { username: 'me', password: 'secret' };
    const client = createClient({ ...anonymous, credentials });
    for (const path of ['a/b/blobs/x', 'a/b/tags/list', 'c/d/tags/list']) {
      await client.send({ method: 'GET', url: new URL(`/v2/${path}`, registry) });
    }
    expect(seen.filter(({ line }) => line.startsWith('GET /token'))).toHaveLength(2);
  });

  it('sends a header with two values as two lines', async () => {
    const headers = { Accept: ['one/type', 'other/type'], Authorization: 'Bearer x' };
    await createClient(anonymous).send({ method: 'GET', url: new URL('/v2/a/b/manifests/x', registry), headers });
    expect(seen[0] && values(seen[0], 'accept')).toEqual(['one/type', 'other/type']);
  });

  it.each([
    [{ method: 'POST' }, ['0'], []],
    [{ method: 'DELETE' }, [], []],
    [{ method: 'PUT', body: Buffer.from('abc') }, ['3'], []],
    [{ method: 'PUT', body: Buffer.alloc(0), isChunked: true }, [], ['chunked']],
  ])('frames %o as Go does', async (request, length, encoding) => {
    const headers = { Authorization: 'Bearer x' };
    await createClient(anonymous).send({ ...request, url: new URL('/v2/a/b/manifests/x', registry), headers });
    expect(seen[0] && values(seen[0], 'content-length')).toEqual(length);
    expect(seen[0] && values(seen[0], 'transfer-encoding')).toEqual(encoding);
  });

  it('follows redirects and keeps the URL that was asked for', async () => {
    const url = new URL('/v2/a/b/blobs/moved', registry);
    const reply = await createClient(anonymous).send({ method: 'GET', url, headers: { Authorization: 'Bearer x' } });
    expect(reply.status).toBe(200);
    expect(reply.url.pathname).toBe('/v2/a/b/blobs/moved');
  });

  it('complains of a path that names no repository, as the official runner does when it signs in', async () => {
    const client = createClient({ ...anonymous, credentials: { username: 'me', password: 'secret' } });
    await expect(client.send({ method: 'PUT', url: new URL('/uploads/1', registry) })).rejects.toThrow('/uploads/1');
  });
});

describe('withQuery', () => {
  it('keeps the state of a Location and encodes the whole query anew in the order of names', () => {
    const url = withQuery(new URL('http://r/v2/a/b/blobs/uploads/1?_state=x-_y%3D%3D'), { digest: 'sha256:ab' });
    expect(url.search).toBe('?_state=x-_y%3D%3D&digest=sha256%3Aab');
  });

  it('repeats the name of a list', () => {
    expect(withQuery(new URL('http://r/m'), { tag: ['b', 'a'] }).search).toBe('?tag=b&tag=a');
  });
});
