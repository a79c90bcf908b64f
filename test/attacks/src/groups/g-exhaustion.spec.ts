import type { Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { peakResidentBytes } from '@entrepot/testkit/processes';
import { codeOf, jsonOf, sendHttp, type Answer } from '../wire/http.js';
import { collect, openSocket } from '../wire/raw.js';
import { contentOf, imageOf, IMAGES, MANIFEST_TYPE } from '../world/contents.js';
import { alice, basicOf, bearer, bob, send, tokenPath } from '../world/person.js';
import { fillRepositories, makeUser } from '../world/product.js';
import { LIMITS } from '../world/settings.js';

const MIB = 1024 * 1024;
const MANIFEST_LIMIT_BYTES = 4 * MIB;

/** A manifest of exactly so many bytes. */
function manifestOf(sizeBytes: number): ReturnType<typeof contentOf> {
  const annotations = Object.fromEntries(Array.from({ length: 70 }, (_, at) => [`pad-${at}`, 'x'.repeat(60_000)]));
  const full = imageOf('acme/app', { annotations }).manifest.bytes.toString();
  const excess = full.length - sizeBytes;
  return contentOf(excess >= 0 ? shorten(full, excess) : `${full}${' '.repeat(-excess)}`);
}

/** Takes characters out of the padding. */
function shorten(text: string, characters: number): string {
  let rest = characters;
  return text.replaceAll(/x{60000}/g, (pad) => {
    const cut = Math.min(rest, pad.length);
    rest -= cut;
    return pad.slice(cut);
  });
}

/** Status of an ordinary request. */
async function askOrdinarily(): Promise<number> {
  return (await alice.ask({ path: '/v2/acme/app/manifests/1' })).status;
}

describe('G: exhaustion', () => {
  beforeAll(fillRepositories);

  it('G-01: a manifest of 4 MiB is stored, one byte more is 413', async () => {
    const headers = { ...bearer(await alice.token('repository:acme/app:pull,push')), 'Content-Type': MANIFEST_TYPE };
    const put = { method: 'PUT', path: '/v2/acme/app/manifests/large', headers };
    const largest = manifestOf(MANIFEST_LIMIT_BYTES);
    expect(largest.bytes).toHaveLength(MANIFEST_LIMIT_BYTES);
    expect((await send({ ...put, body: largest.bytes })).status).toBe(201);
    const over = await send({ ...put, body: manifestOf(MANIFEST_LIMIT_BYTES + 1).bytes });
    expect([over.status, codeOf(over)]).toEqual([413, 'SIZE_INVALID']);
  });

  it('G-01: a manifest without end is 413, and not kept in memory', async () => {
    const { port, pid } = inject('product');
    const token = await alice.token('repository:acme/app:pull,push');
    const before = peakResidentBytes(pid);
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(port)));
    const head = `Host: x\r\nAuthorization: Bearer ${token}\r\nContent-Type: ${MANIFEST_TYPE}\r\nTransfer-Encoding: chunked\r\n`;
    const chunk = Buffer.concat([Buffer.from('40000\r\n'), Buffer.alloc(MIB / 4, ' '), Buffer.from('\r\n')]);
    const answers = await Promise.all(
      sockets.map((socket) => {
        socket.write(`PUT /v2/acme/app/manifests/endless HTTP/1.1\r\n${head}\r\n`);
        feed(socket, chunk, 64);
        return collect(socket, 20_000);
      }),
    );
    for (const answer of answers) expect([answer.statuses, answer.isClosed]).toEqual([[413], true]);
    expect(peakResidentBytes(pid) - before).toBeLessThan(300 * MIB);
    expect(await askOrdinarily()).toBe(200);
  });

  it('G-02: a hundred readers that do not read hold nobody up, and are cut', async () => {
    const { port } = inject('product');
    const token = await alice.token('repository:acme/app:pull,push');
    const large = contentOf(Buffer.alloc(LIMITS.maxBlobBytes, 'slow'));
    const path = `/v2/acme/app/blobs/uploads/?digest=${large.digest}`;
    expect((await send({ method: 'POST', path, headers: bearer(token), body: large.bytes })).status).toBe(201);
    const sockets = await Promise.all(Array.from({ length: 100 }, () => openSocket(port)));
    for (const socket of sockets) {
      socket.pause();
      socket.write(
        `GET /v2/acme/app/blobs/${large.digest} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`,
      );
    }
    for (let round = 0; round < 20; round++) expect(await askOrdinarily()).toBe(200);
    await delay(3 * LIMITS.idleMs);
    const cut = await Promise.all(sockets.map((socket) => collect(socket, 10_000)));
    for (const { text, isClosed } of cut) {
      expect(isClosed).toBe(true);
      expect(text.length).toBeLessThan(LIMITS.maxBlobBytes);
    }
  });

  it('P9: senders that stop hold no database connection', async () => {
    const { port } = inject('product');
    const user = await makeUser('slow');
    const headers = bearer(await user.token(`repository:${user.name}/app:pull,push`));
    const starts = Array.from({ length: 60 }, () =>
      send({ method: 'POST', path: `/v2/${user.name}/app/blobs/uploads/`, headers }),
    );
    const sockets: Socket[] = [];
    for (const started of await Promise.all(starts)) {
      const socket = await openSocket(port);
      const head = `Host: x\r\nAuthorization: ${headers.Authorization}\r\nContent-Length: 1000\r\n`;
      socket.write(`PATCH ${started.headers.location} HTTP/1.1\r\n${head}\r\nand no more`);
      sockets.push(socket);
    }
    for (let round = 0; round < 10; round++) expect(await askOrdinarily()).toBe(200);
    const { text } = await sendHttp(inject('product').opsPort, { path: '/metrics' });
    const waiting = [...text.matchAll(/^\w*pool\w*\{[^}]*waiting[^}]*\} (\d+)/gm)].map((match) => Number(match[1]));
    expect(waiting.length).toBeGreaterThan(0);
    expect(new Set(waiting)).toEqual(new Set([0]));
    for (const socket of sockets) socket.destroy();
  });

  it('G-03: no page is larger than the server’s maximum', async () => {
    expect((await alice.ask({ path: '/v2/_catalog?n=2147483647' })).status).toBe(400);
    expect((await alice.ask({ path: '/v2/_catalog?n=1000' })).status).toBe(200);
    const headers = bearer(await alice.token('repository:acme/app:pull,push'));
    const { manifest } = IMAGES['acme/app'];
    for (let batch = 0; batch < 110; batch += 10) {
      const puts = Array.from({ length: 10 }, (_, at) => {
        const tags = Array.from({ length: 100 }, (__, index) => `tag=t-${batch + at}-${index}`).join('&');
        const path = `/v2/acme/app/manifests/${manifest.digest}?${tags}`;
        return send({
          method: 'PUT',
          path,
          headers: { ...headers, 'Content-Type': MANIFEST_TYPE },
          body: manifest.bytes,
        });
      });
      for (const { status } of await Promise.all(puts)) expect(status).toBe(201);
    }
    const answer = await send({ path: '/v2/acme/app/tags/list?n=2147483647', headers });
    expect(jsonOf<{ tags: string[] }>(answer).tags).toHaveLength(10_000);
    expect(answer.headers.link).toMatch(/^<\/v2\/acme\/app\/tags\/list\?n=10000&last=[^>]+>; rel="next"$/);
    const tags = Array.from({ length: 101 }, (_, at) => `tag=many-${at}`).join('&');
    const many = await send({
      method: 'PUT',
      path: `/v2/acme/app/manifests/${manifest.digest}?${tags}`,
      headers,
      body: manifest.bytes,
    });
    expect(many.status).toBe(414);
  });

  it('G-06: a storm of logins is answered 401 or 429, while those with tokens are served', async () => {
    const headers = bearer(await alice.token('repository:acme/app:pull'));
    const storm = Array.from({ length: 400 }, (_, at) =>
      send({
        path: tokenPath([]),
        headers: { Authorization: basicOf(`nobody-${at}`, `wrong ${at}`) },
        localAddress: `127.0.3.${at % 200}`,
      }),
    );
    const served = Array.from({ length: 50 }, () => send({ path: '/v2/acme/app/manifests/1', headers }));
    expect(new Set((await Promise.all(served)).map(({ status }) => status))).toEqual(new Set([200]));
    const answers: Answer[] = await Promise.all(storm);
    for (const answer of answers) expect([401, 429]).toContain(answer.status);
    const busy = answers.filter(({ status }) => status === 429);
    for (const answer of busy) expect(Number(answer.headers['retry-after'])).toBeGreaterThan(0);
    expect((await bob.ask({ path: '/v2/globex/secret/manifests/1' })).status).toBe(200);
  });

  it('G-08: compressed and foreign bodies are taken as what they are, and large ones are refused', async () => {
    const bomb = gzipSync(Buffer.alloc(100 * MIB, ' '));
    const headers = bearer(await alice.token('repository:acme/app:pull,push'));
    const put = { method: 'PUT', path: '/v2/acme/app/manifests/bomb' };
    const zipped = { ...headers, 'Content-Type': MANIFEST_TYPE, 'Content-Encoding': 'gzip' };
    expect((await send({ ...put, headers: zipped, body: bomb })).status).toBe(400);
    const small = gzipSync(imageOf('acme/app').manifest.bytes);
    expect((await send({ ...put, headers: zipped, body: small })).status).toBe(400);
    const form = 'application/x-www-form-urlencoded';
    const asks: [type: string, body: string | Buffer, status: number[], encoding?: string][] = [
      [form, bomb, [400, 413, 415], 'gzip'],
      [form, gzipSync(Buffer.alloc(10 * MIB, 'a')), [400, 415], 'gzip'],
      ['multipart/form-data; boundary=x', '--x\r\n'.repeat(1000), [415]],
      ['application/json', '{}', [415]],
      [form, `${'a=b&'.repeat(15_000)}`, [400]],
      [form, 'a'.repeat(65 * 1024), [413]],
    ];
    for (const [type, body, statuses, encoding] of asks) {
      const answer = await send({
        method: 'POST',
        path: '/auth/token',
        headers: { 'Content-Type': type, ...(encoding && { 'Content-Encoding': encoding }) },
        body,
      });
      expect([type, statuses.includes(answer.status)]).toEqual([type, true]);
    }
    const large = { method: 'POST', path: '/auth/token', headers: { 'Content-Type': 'application/json' } };
    const refused = await send({ ...large, body: Buffer.alloc(100 * MIB, ' ') }).catch(() => ({ status: 415 }));
    expect([413, 415]).toContain(refused.status);
  });

  it('P9: bodies on routes that take none are not waited for', async () => {
    const headers = bearer(await alice.token('repository:acme/app:pull'));
    for (const path of ['/v2/', '/v2/acme/app/manifests/1', '/v2/_nothing', '/auth/jwks', '/nothing']) {
      const answer = await send({ path, headers, body: Buffer.alloc(MIB) }).catch(() => ({ status: 0 }));
      expect(`${path}: ${answer.status}`).toMatch(/: (?:0|200|404)$/);
    }
    expect(await askOrdinarily()).toBe(200);
  });
});

/** Writes the chunk so often, as fast as it is taken, until the connection ends. */
function feed(socket: Socket, chunk: Buffer, times: number): void {
  if (times === 0 || !socket.writable) return;
  socket.write(chunk, () => feed(socket, chunk, times - 1));
}
