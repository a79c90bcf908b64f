import { describe, expect, it } from 'vitest';
import { answerBodyLength, openSocket, readToEnd, sendRaw, startListener } from './started-listener.suite.js';

const HOST = 'Host: registry\r\n';
const SMUGGLED = 'GET /v2/smuggled HTTP/1.1\r\nHost: registry\r\n\r\n';

const post = (headers: string, body: string): string => `POST /v2/ HTTP/1.1\r\n${HOST}${headers}\r\n${body}`;

/** One answer, then the connection is closed (RFC 9112, 6.1; security checklist D-10). */
const REFUSED: Readonly<Record<string, readonly [status: number, request: string]>> = {
  'Content-Length before Transfer-Encoding': [
    400,
    post('Content-Length: 5\r\nTransfer-Encoding: chunked\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  'Transfer-Encoding before Content-Length': [
    400,
    post('Transfer-Encoding: chunked\r\nContent-Length: 5\r\n', `0\r\n\r\n${SMUGGLED}`),
  ],
  'two equal Content-Lengths': [400, post('Content-Length: 5\r\nContent-Length: 5\r\n', 'hello')],
  'two Content-Lengths': [400, post('Content-Length: 5\r\nContent-Length: 6\r\n', 'hello')],
  'a list as Content-Length': [400, post('Content-Length: 5, 5\r\n', 'hello')],
  'a signed Content-Length': [400, post('Content-Length: +5\r\n', 'hello')],
  'a negative Content-Length': [400, post('Content-Length: -5\r\n', 'hello')],
  'a Content-Length beyond 64 bits': [400, post('Content-Length: 99999999999999999999999\r\n', 'hello')],
  'identity after chunked': [400, post('Transfer-Encoding: chunked, identity\r\n', '0\r\n\r\n')],
  'another coding alone': [400, post('Transfer-Encoding: gzip\r\n', 'body')],
  'another coding before chunked': [400, post('Transfer-Encoding: gzip, chunked\r\n', '0\r\n\r\n')],
  'a coding that only looks like chunked': [400, post('Transfer-Encoding: xchunked\r\n', '0\r\n\r\n')],
  'a control character before chunked': [400, post('Transfer-Encoding:\u000bchunked\r\n', '0\r\n\r\n')],
  'a space before the colon': [400, post('Content-Length : 5\r\n', 'hello')],
  'a folded header': [400, `GET /v2/ HTTP/1.1\r\n${HOST}X: a\r\n b\r\n\r\n`],
  'bare line feeds': [400, 'GET /v2/ HTTP/1.1\nHost: registry\n\n'],
  'a bare line feed in a header': [400, `GET /v2/ HTTP/1.1\r\n${HOST}X: a\nY: b\r\n\r\n`],
  'a bare carriage return in a header': [400, `GET /v2/ HTTP/1.1\r\n${HOST}X: a\rY: b\r\n\r\n`],
  'NUL in a header': [400, `GET /v2/ HTTP/1.1\r\n${HOST}X: a\0b\r\n\r\n`],
  'no Host': [400, 'GET /v2/ HTTP/1.1\r\n\r\n'],
  'a method that does not exist': [400, `FETCH /v2/ HTTP/1.1\r\n${HOST}\r\n`],
  'an HTTP/2 preface': [400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  'another HTTP version': [400, `GET /v2/ HTTP/2.0\r\n${HOST}\r\n`],
  CONNECT: [405, `CONNECT other:443 HTTP/1.1\r\n${HOST}\r\n`],
  'a header of 64 KiB': [431, `GET /v2/ HTTP/1.1\r\n${HOST}X: ${'a'.repeat(65_536)}\r\n\r\n`],
  'a URL of 64 KiB': [431, `GET /v2/${'a'.repeat(65_536)} HTTP/1.1\r\n${HOST}\r\n`],
  '10,000 headers': [431, `GET /v2/ HTTP/1.1\r\n${HOST}${'a: b\r\n'.repeat(10_000)}\r\n`],
  'endless chunk extensions': [
    413,
    post('Transfer-Encoding: chunked\r\n', `1;${'a'.repeat(70_000)}\r\nx\r\n0\r\n\r\n`),
  ],
  'a chunk size that is no number': [400, post('Transfer-Encoding: chunked\r\n', 'zz\r\nx\r\n0\r\n\r\n')],
  'a chunk size beyond 64 bits': [
    400,
    post('Transfer-Encoding: chunked\r\n', '10000000000000005\r\nhello\r\n0\r\n\r\n'),
  ],
  'endless trailers': [431, post('Transfer-Encoding: chunked\r\n', `0\r\n${'a: b\r\n'.repeat(20_000)}\r\n`)],
  'a body longer than its Content-Length': [200, post('Content-Length: 3\r\n', 'hello world\r\n\r\n')],
  'an expectation that nobody can meet': [
    417,
    post('Connection: close\r\nExpect: 200-ok\r\nContent-Length: 5\r\n', 'hello'),
  ],
};

describe('requests that proxies and servers read differently', () => {
  it.each(Object.entries(REFUSED))(
    'D-10: answers %s once and closes the connection',
    async (_name, [status, request]) => {
      const urls: (string | undefined)[] = [];
      const { port } = await startListener((incoming, response) => {
        urls.push(incoming.url);
        answerBodyLength(incoming, response);
      });
      const answer = await sendRaw(port, request);
      expect(answer.statuses).toEqual([status]);
      expect(urls).not.toContain('/v2/smuggled');
    },
  );

  it('D-08: refuses a second Host', async () => {
    const { port } = await startListener(answerBodyLength);
    const answer = await sendRaw(port, 'GET /v2/ HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: close\r\n\r\n');
    expect(answer.statuses).toEqual([400]);
  });

  it('answers errors of the front in the JSON of the distribution API', async () => {
    const { port } = await startListener(answerBodyLength);
    const { text } = await sendRaw(port, post('Content-Length: x\r\n', ''));
    expect(text).toMatch(/\r\nContent-Type: application\/json\r\n/);
    const body: unknown = JSON.parse(text.slice(text.indexOf('\r\n\r\n')));
    expect(body).toEqual({ errors: [{ code: 'UNSUPPORTED', message: 'the request is malformed' }] });
  });

  it('tells a client that starts TLS on the plain port, in HTTP, and goes on serving', async () => {
    const { port, origin } = await startListener(answerBodyLength);
    const hello = Buffer.concat([Buffer.from('16030100c8010000c40303', 'hex'), Buffer.alloc(200)]);
    const { statuses, text } = await sendRaw(port, hello);
    expect(statuses).toEqual([400]);
    expect(text).toContain('plain HTTP');
    expect((await fetch(`${origin}/v2/`)).status).toBe(200);
  });

  it('lets an answer that is under way be the last one when bytes that are no request follow', async () => {
    const { port } = await startListener((_request, response) => {
      setTimeout(() => response.end('first'), 50);
    });
    const { statuses, text } = await sendRaw(port, `GET /v2/ HTTP/1.1\r\n${HOST}\r\nno request\r\n\r\n`);
    expect(statuses).toEqual([200]);
    expect(text).toContain('first');
  });

  it('survives a client that resets the connection right after CONNECT', async () => {
    const { port, origin } = await startListener(answerBodyLength);
    for (let attempt = 0; attempt < 20; attempt += 1) {
      const socket = await openSocket(port);
      socket.write(`CONNECT other:443 HTTP/1.1\r\n${HOST}\r\n`, () => socket.resetAndDestroy());
      await readToEnd(socket);
    }
    expect((await fetch(`${origin}/v2/`)).status).toBe(200);
  });

  it('D-10: answers a body that ends before its Content-Length', async () => {
    const { port } = await startListener(answerBodyLength);
    const socket = await openSocket(port);
    socket.end(post('Content-Length: 10\r\n', 'hello'));
    expect(await readToEnd(socket)).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('D-10: answers a request for an upgrade as any other, and closes the connection behind it', async () => {
    const { port } = await startListener(answerBodyLength);
    const upgrade = 'Upgrade: websocket\r\nConnection: keep-alive, Upgrade\r\nContent-Length: 5\r\n';
    const { statuses, text } = await sendRaw(port, `${post(upgrade, 'hello')}${SMUGGLED}`);
    expect(statuses).toEqual([200]);
    expect(text).toMatch(/\r\nConnection: close\r\n[^]*\r\n\r\n5$/);
  });

  it('takes the absolute form of a URL as the path in it', async () => {
    const { port } = await startListener((request, response) => response.end(request.url));
    const { statuses } = await sendRaw(port, `GET http://other/v2/ HTTP/1.1\r\n${HOST}Connection: close\r\n\r\n`);
    expect(statuses).toEqual([200]);
  });
});
