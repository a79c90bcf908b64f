import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { RegistryError } from '@entrepot/oci';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { exchangeOf } from '../observe/exchange.js';
import { answerError } from './answer-error.js';
import { continueUpload } from './refuse-body.js';
import { makeSelfSigned } from './self-signed.suite.js';
import {
  answerBodyLength,
  openSocket,
  readToEnd,
  readUntil,
  sendRaw,
  startListener,
} from './started-listener.suite.js';

const HEAD = 'HTTP/1.1\r\nHost: registry\r\n';

function answerPath(request: IncomingMessage, response: ServerResponse): void {
  exchangeOf(request).route = 'base';
  response.end(request.url);
}

/** Leaves a `for await` over the request half-way, which destroys the request. */
async function readFirstChunk(request: IncomingMessage): Promise<unknown> {
  for await (const chunk of request) return chunk;
  return undefined;
}

describe('a handler that destroys the request', () => {
  it.each(['off', 'combined'])(
    'gets its answer through, and the connection closes (access log %s)',
    async (accessLog) => {
      const { port, origin } = await startListener(
        (request, response) => {
          void readFirstChunk(request).then(() => response.end('done'));
        },
        { ACCESS_LOG: accessLog },
      );
      const { statuses } = await sendRaw(port, `POST /v2/ ${HEAD}Content-Length: 100\r\n\r\npart`);
      expect(statuses).toEqual([200]);
      expect(await (await fetch(`${origin}/v2/`)).text()).toBe('done');
    },
  );

  it('can still be refused', async () => {
    const { port, logger } = await startListener((request, response) => {
      const refusal = new RegistryError('SIZE_INVALID', { status: 413 });
      void readFirstChunk(request).then(() => answerError(request, response, refusal, { logger }));
    });
    const { statuses } = await sendRaw(port, `POST /v2/ ${HEAD}Content-Length: 100\r\n\r\npart`);
    expect(statuses).toEqual([413]);
  });
});

describe('mounts', () => {
  it.each(['/v2', '/v2/', '/v2/a/tags/list?n=1', '/v2?x'])('hands %s to the handler of /v2', async (path) => {
    const { origin } = await startListener(answerPath);
    const answer = await fetch(origin + path);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('Docker-Distribution-Api-Version')).toBe('registry/2.0');
  });

  it.each(['/', '/v22/', '/V2/', '//v2/', '/x/v2/', '/readyzz'])('knows no %s', async (path) => {
    const { port } = await startListener(answerPath);
    const { statuses } = await sendRaw(port, `GET ${path} ${HEAD}Connection: close\r\n\r\n`);
    expect(statuses).toEqual([404]);
  });

  it('prefers the longer prefix', async () => {
    const { listener, origin } = await startListener(answerPath);
    listener.mount('/v2/inner', (_request, response) => response.end('inner'), { service: 'inner', routes: [] });
    expect(await (await fetch(`${origin}/v2/inner/x`)).text()).toBe('inner');
    expect(await (await fetch(`${origin}/v2/innermost`)).text()).toBe('/v2/innermost');
  });

  it('answers 500 when a handler throws, and names the request', async () => {
    const { origin, lines } = await startListener(() => {
      throw new Error('unforeseen');
    });
    const answer = await fetch(`${origin}/v2/`, { headers: { 'X-Request-Id': 'trace-1' } });
    expect(answer.status).toBe(500);
    expect(answer.headers.get('X-Request-Id')).toBe('trace-1');
    expect(await answer.json()).toMatchObject({ errors: [{ code: 'UNKNOWN', detail: { requestId: 'trace-1' } }] });
    expect(lines.filter((line) => line.includes('trace-1') && line.includes('unforeseen'))).toHaveLength(1);
  });

  it('makes an id for a request that has none, or none that is fit for a log', async () => {
    const { origin } = await startListener(answerPath);
    const given = ['a b', 'a"b', 'x'.repeat(200)];
    const answers = await Promise.all(given.map((id) => fetch(`${origin}/v2/`, { headers: { 'X-Request-Id': id } })));
    const ids = answers.map((answer) => answer.headers.get('X-Request-Id') ?? '');
    expect(new Set(ids).size).toBe(3);
    for (const id of ids) expect(id).toMatch(/^[\w-]{10,40}$/);
  });

  it('adds its headers however the handler writes the head', async () => {
    const { listener, origin } = await startListener(answerPath);
    const headers = { 'X-Mount': 'yes' };
    listener.mount('/object', (_q, response) => response.writeHead(200, 'Fine', { A: '1' }).end(), {
      service: 'a',
      routes: [],
      headers,
    });
    listener.mount('/list', (_q, response) => response.writeHead(200, ['A', '1']).end(), {
      service: 'b',
      routes: [],
      headers,
    });
    listener.mount('/set', (_q, response) => response.setHeader('A', '1').end(), { service: 'c', routes: [], headers });
    for (const path of ['/object', '/list', '/set']) {
      const answer = await fetch(origin + path);
      expect([answer.headers.get('A'), answer.headers.get('X-Mount')]).toEqual(['1', 'yes']);
    }
  });

  it('counts requests by route, method and status, with labels from fixed sets', async () => {
    const { origin, metrics } = await startListener(answerPath);
    await (await fetch(`${origin}/v2/`)).text();
    await (await fetch(`${origin}/v2/`, { method: 'PROPFIND' })).text();
    await vi.waitFor(async () => {
      const text = await metrics.render();
      expect(text).toContain('http_requests_total{service="registry",route="base",method="GET",status="200"} 1');
      expect(text).toContain('http_requests_total{service="registry",route="base",method="other",status="200"} 1');
      expect(text).toContain('http_requests_in_flight{service="registry"} 0');
    });
  });
});

describe('probes', () => {
  it('answers yes while it can serve', async () => {
    const { origin } = await startListener(answerPath);
    const answers = await Promise.all(['/livez', '/readyz', '/readyz?verbose'].map((path) => fetch(origin + path)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200]);
    expect(await answers[1]?.text()).toBe('yes\n');
  });

  it('says that it is alive but not ready while the service says so', async () => {
    const { origin } = await startListener(answerPath, {}, () => false);
    expect((await fetch(`${origin}/livez`)).status).toBe(200);
    const ready = await fetch(`${origin}/readyz`);
    expect([ready.status, await ready.text()]).toEqual([503, 'no\n']);
  });
});

describe('Expect: 100-continue', () => {
  const EXPECTING = `PUT /v2/ ${HEAD}Expect: 100-continue\r\nContent-Length: 5\r\nConnection: close\r\n\r\n`;

  it('asks for the body when the handler allows it, and not before', async () => {
    const { port } = await startListener((request, response) => {
      continueUpload(request, response);
      answerBodyLength(request, response);
    });
    const socket = await openSocket(port);
    socket.write(EXPECTING);
    expect(await readUntil(socket, /\r\n\r\n/)).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    const answer = readUntil(socket, /\r\n\r\n5$/);
    socket.write('hello');
    expect(await answer).toContain('HTTP/1.1 200 OK');
  });

  it('never asks for the body of a request that is answered at once', async () => {
    const { port } = await startListener((_request, response) => response.writeHead(401).end());
    const { text, statuses } = await sendRaw(port, EXPECTING);
    expect(statuses).toEqual([401]);
    expect(text).not.toContain('100 Continue');
  });
});

describe('clients that stop', () => {
  it('D-10: answers slow headers with 408', async () => {
    const { port } = await startListener(answerPath, { HEADER_TIMEOUT: '200ms' });
    const { statuses } = await sendRaw(port, 'GET /v2/ HTTP/1.1\r\nHost: regis');
    expect(statuses).toEqual([408]);
  });

  it('D-10: cuts a connection that sends no more of a body, and the handler hears of it', async () => {
    const failure = Promise.withResolvers<unknown>();
    const { port } = await startListener(
      (request) => {
        request.on('error', failure.resolve).resume();
      },
      { IDLE_TIMEOUT: '200ms' },
    );
    const { statuses } = await sendRaw(port, `PUT /v2/ ${HEAD}Content-Length: 100\r\n\r\nonly this`);
    expect(statuses).toEqual([]);
    expect(await failure.promise).toMatchObject({ code: 'ECONNRESET' });
  });

  it('cuts a connection that does not read its answer', async () => {
    const closed = Promise.withResolvers<boolean>();
    const { port } = await startListener(
      (_request, response) => {
        response.once('close', () => closed.resolve(response.writableFinished));
        response.end(Buffer.alloc(64 * 2 ** 20));
      },
      { IDLE_TIMEOUT: '300ms' },
    );
    const socket = await openSocket(port);
    socket.pause();
    socket.write(`GET /v2/ ${HEAD}\r\n`);
    expect(await closed.promise).toBe(false);
  });

  it('does not cut a client that reads slowly', async () => {
    const { port } = await startListener((_request, response) => response.end(Buffer.alloc(16 * 2 ** 20)), {
      IDLE_TIMEOUT: '1s',
    });
    const socket = await openSocket(port);
    socket.pause();
    socket.write(`GET /v2/ ${HEAD}Connection: close\r\n\r\n`);
    let receivedBytes = 0;
    socket.on('data', (chunk) => {
      receivedBytes += chunk.length;
      socket.pause();
    });
    // 64 KiB at a time: the server's writes of megabytes each take longer than the idle timeout.
    const reading = setInterval(() => socket.resume(), 10);
    await once(socket, 'close');
    clearInterval(reading);
    expect(receivedBytes).toBeGreaterThan(16 * 2 ** 20);
  });

  it('does not cut a request that has arrived whole and waits for us', async () => {
    const { origin } = await startListener(
      (_request, response) => {
        setTimeout(() => response.end('late'), 700);
      },
      { IDLE_TIMEOUT: '200ms' },
    );
    expect(await (await fetch(`${origin}/v2/`)).text()).toBe('late');
  });

  it('does not cut the second of two requests that came together', async () => {
    const { port } = await startListener(
      (request, response) => {
        setTimeout(() => response.end('late'), request.url === '/v2/first' ? 0 : 500);
      },
      { IDLE_TIMEOUT: '200ms' },
    );
    const { statuses } = await sendRaw(
      port,
      `GET /v2/first ${HEAD}\r\nGET /v2/second ${HEAD}Connection: close\r\n\r\n`,
    );
    expect(statuses).toEqual([200, 200]);
  });

  it('closes a connection whose body nobody read, instead of reading on', async () => {
    const { port } = await startListener((_request, response) => response.end('done'));
    const { statuses } = await sendRaw(port, `PUT /v2/ ${HEAD}Content-Length: 100000000\r\n\r\nstart`);
    expect(statuses).toEqual([200]);
  });

  it('closes connections beyond the limit at once', async () => {
    const { port, metrics } = await startListener(answerPath, { MAX_CONNECTIONS: '2' });
    await openSocket(port);
    await openSocket(port);
    const third = await openSocket(port);
    expect(await readToEnd(third)).toBe('');
    expect(await metrics.render()).toContain('http_connections 2');
  });
});

describe('listening', () => {
  it('says in one line what to do when the port is taken', async () => {
    const { port } = await startListener(answerPath);
    const second = startListener(answerPath, { PORT: String(port) });
    await expect(second).rejects.toMatchObject({
      name: 'ListenError',
      code: 'EADDRINUSE',
      message: `port ${port} on 127.0.0.1 is taken by another program; stop that one, or set ENTREPOT_HTTP_PORT`,
    });
  });

  it('says so when the address is not this machine’s', async () => {
    const settings = { HOST: '192.0.2.1', PUBLIC_URL: 'http://registry.test' };
    await expect(startListener(answerPath, settings)).rejects.toThrow('correct ENTREPOT_HTTP_HOST');
  });
});

describe('drain', () => {
  it('lets running requests finish, closes the rest, and accepts nothing new', async () => {
    const release = Promise.withResolvers<void>();
    const arrived = Promise.withResolvers<void>();
    const { listener, port } = await startListener((_request, response) => {
      arrived.resolve();
      void release.promise.then(() => response.end('finished'));
    });
    const idle = await openSocket(port);
    const running = await openSocket(port);
    const answer = readToEnd(running);
    running.write(`GET /v2/ ${HEAD}\r\n`);
    await arrived.promise;
    const drained = listener.drain(5000);
    await readToEnd(idle);
    await expect(openSocket(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    release.resolve();
    await drained;
    expect(await answer).toMatch(/Connection: close[^]*finished$/);
  });

  it('turns /readyz to no first, and still serves for the delay', async () => {
    const { listener, origin } = await startListener(answerPath, { DRAIN_DELAY: '300ms' });
    const drained = listener.drain();
    const ready = await fetch(`${origin}/readyz`);
    const served = await fetch(`${origin}/v2/`);
    await drained;
    expect([ready.status, served.status]).toEqual([503, 200]);
    expect(served.headers.get('Connection')).toBe('close');
  });

  it('answers on a connection that was idle, and closes it then', async () => {
    const { listener, port } = await startListener(answerPath);
    const idle = await openSocket(port);
    const first = readUntil(idle, /v2\/first$/);
    idle.write(`GET /v2/first ${HEAD}\r\n`);
    await first;
    const drained = listener.drain(5000);
    const second = readToEnd(idle);
    idle.write(`GET /v2/second ${HEAD}\r\n`);
    await drained;
    expect(await second).toMatch(/^HTTP\/1\.1 200 OK[^]*Connection: close[^]*second$/);
  });

  it('hands over to another process: what is open stays usable, and ready', async () => {
    const { listener, port } = await startListener(answerPath);
    const idle = await openSocket(port);
    const handedOver = listener.handOver(5000);
    await expect(openSocket(port)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const answer = readToEnd(idle);
    idle.write(`GET /readyz ${HEAD}\r\n`);
    expect(await answer).toMatch(/^HTTP\/1\.1 200 OK[^]*Connection: close[^]*yes\n$/);
    await handedOver;
    await listener.drain();
  });

  it('cuts what is left when the time is over', async () => {
    const { listener, port } = await startListener(() => undefined);
    const hanging = await openSocket(port);
    const answer = readToEnd(hanging);
    hanging.write(`GET /v2/ ${HEAD}\r\n`);
    await vi.waitFor(() => expect(hanging.bytesWritten).toBeGreaterThan(0));
    await listener.drain(100);
    expect(await answer).toBe('');
  });
});

async function makeFiles(): Promise<{ certificate: string; key: string; settings: Record<string, string> }> {
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-tls-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  const [certificate, key] = [join(directory, 'tls.crt'), join(directory, 'tls.key')];
  return { certificate, key, settings: { TLS_CERTIFICATE: certificate, TLS_KEY: key } };
}

async function subjectOf(port: number): Promise<string | undefined> {
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
  await once(socket, 'secureConnect');
  const subject = socket.getPeerX509Certificate()?.subject;
  socket.destroy();
  return subject;
}

describe('TLS', () => {
  it('serves on the same port, and takes new files into use without a restart', async () => {
    const files = await makeFiles();
    const [first, second] = [makeSelfSigned('first'), makeSelfSigned('second')];
    writeFileSync(files.certificate, first.certificate);
    writeFileSync(files.key, first.key);
    const { port, lines } = await startListener(answerPath, files.settings);
    expect(await subjectOf(port)).toBe('CN=first');

    writeFileSync(files.certificate, 'not a certificate');
    process.emit('SIGHUP');
    expect(lines.some((line) => line.includes('the former certificate stays'))).toBe(true);
    expect(await subjectOf(port)).toBe('CN=first');

    writeFileSync(files.certificate, second.certificate);
    writeFileSync(files.key, second.key);
    await vi.waitFor(async () => expect(await subjectOf(port)).toBe('CN=second'), { timeout: 15_000, interval: 200 });
  });

  it('closes quietly on a client that speaks plain HTTP', async () => {
    const files = await makeFiles();
    const pair = makeSelfSigned('registry');
    writeFileSync(files.certificate, pair.certificate);
    writeFileSync(files.key, pair.key);
    const { port } = await startListener(answerPath, files.settings);
    const { statuses } = await sendRaw(port, `GET /v2/ ${HEAD}\r\n`);
    expect(statuses).toEqual([]);
    expect(await subjectOf(port)).toBe('CN=registry');
  });

  it('does not start with files that do not belong together, and names the settings', async () => {
    const files = await makeFiles();
    await expect(startListener(answerPath, files.settings)).rejects.toThrow(/^ENTREPOT_HTTP_TLS_CERTIFICATE: .*ENOENT/);
    writeFileSync(files.certificate, makeSelfSigned('one').certificate);
    writeFileSync(files.key, makeSelfSigned('other').key);
    await expect(startListener(answerPath, files.settings)).rejects.toThrow('ENTREPOT_HTTP_TLS_KEY');
  });
});
