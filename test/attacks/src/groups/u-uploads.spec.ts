import { createHmac } from 'node:crypto';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { setTimeout as delay } from 'node:timers/promises';
import { disableAccount } from '@entrepot/access';
import { codeOf, type Answer, type Ask } from '../wire/http.js';
import { collect, openSocket } from '../wire/raw.js';
import { withOwner } from '../world/administer.js';
import { contentOf, IMAGES, type Content } from '../world/contents.js';
import { es256, openToken, readProductKey, sealToken } from '../world/forge.js';
import { alice, bearer, bob, carol, send, type Person } from '../world/person.js';
import { asOperator, fillRepositories, makeUser } from '../world/product.js';
import { LIMITS, PLANTED } from '../world/settings.js';
import { until, WITHDRAWAL_MS } from '../world/until.js';

const UNKNOWN = [404, 'BLOB_UPLOAD_UNKNOWN'];
const MIB = 1024 * 1024;

/** An upload under way, and requests on it in its owner's name. */
interface Session {
  readonly location: string;
  readonly headers: { readonly Authorization: string };
  send(ask: Omit<Ask, 'path'>, location?: string): Promise<Answer>;
}

async function startUpload(person: Person, repository: string): Promise<Session> {
  const headers = bearer(await person.token(`repository:${repository}:pull,push`));
  const started = await send({ method: 'POST', path: `/v2/${repository}/blobs/uploads/`, headers });
  const { location = '' } = started.headers;
  return {
    location,
    headers,
    send: (ask, at = location) => send({ ...ask, path: at, headers: { ...headers, ...ask.headers } }),
  };
}

function withDigest(location: string, { digest }: Content): string {
  return `${location}&digest=${digest}`;
}

function codes(answer: Answer): [number, string | undefined] {
  return [answer.status, codeOf(answer)];
}

describe('U: uploads', () => {
  beforeAll(fillRepositories);

  it('U-01: an upload of others is unknown in one’s own repository, under any state, and stays unharmed', async () => {
    const blob = contentOf(`bob's ${Date.now()}`);
    const session = await startUpload(bob, 'globex/secret');
    const patched = await session.send({ method: 'PATCH', body: blob.bytes });
    const stolen = (patched.headers.location ?? '').replace('globex/secret', 'acme/app');
    const own = await startUpload(alice, 'acme/app');
    const ownState = own.location.slice(own.location.indexOf('?'));
    const locations = [stolen, stolen.split('?')[0] + ownState, stolen.split('?')[0] ?? ''];
    for (const location of locations) {
      expect(codes(await own.send({}, location))).toEqual(UNKNOWN);
      expect(codes(await own.send({ method: 'PATCH', body: 'x' }, location))).toEqual(UNKNOWN);
      expect(codes(await own.send({ method: 'DELETE' }, location))).toEqual(UNKNOWN);
      const put = withDigest(location.includes('?') ? location : `${location}?x=`, blob);
      expect(codes(await own.send({ method: 'PUT' }, put))).toEqual(UNKNOWN);
    }
    const finished = await session.send({ method: 'PUT' }, withDigest(patched.headers.location ?? '', blob));
    expect(finished.status).toBe(201);
  });

  it('U-02: another pusher of the same repository cannot go on with an upload, nor can its own after being removed', async () => {
    const session = await startUpload(alice, 'acme/app');
    const asCarol = bearer(await carol.token('repository:acme/app:pull,push'));
    for (const method of ['GET', 'PATCH', 'DELETE']) {
      expect(codes(await send({ method, path: session.location, headers: asCarol }))).toEqual(UNKNOWN);
    }
    const leaver = await makeUser('uploader');
    const own = await startUpload(leaver, `${leaver.name}/app`);
    await asOperator((administration) => disableAccount(administration, leaver.name));
    await until(async () => (await own.send({})).status === 401, WITHDRAWAL_MS);
  });

  it('U-03: bytes out of order are 416 and change nothing', async () => {
    const blob = contentOf('0123456789');
    const session = await startUpload(alice, 'acme/app');
    const chunk = (range: string, body: string, location?: string): Promise<Answer> =>
      session.send({ method: 'PATCH', headers: { 'Content-Range': range }, body }, location);
    const first = await chunk('0-4', '01234');
    expect([first.status, first.headers.range]).toEqual([202, '0-4']);
    const at = first.headers.location;
    for (const [range, body] of [
      ['0-4', '01234'],
      ['3-7', '34567'],
      ['6-9', '6789'],
      ['9007199254740993-9007199254740997', '56789'],
      ['5-3', '56'],
    ] as const) {
      const answer = await chunk(range, body, at);
      expect(`${range}: ${answer.status}`).toMatch(/: (?:400|416)$/);
    }
    for (const range of ['bytes 5-9/10', 'bytes=5-9', '5', '-5', '5-', 'a-b', '5-9,10-11', '0x5-9']) {
      expect(`${range}: ${(await chunk(range, '56789', at)).status}`).toMatch(/: (?:400|416)$/);
    }
    const mismatched = await chunk('5-9', '56', at);
    expect([400, 416]).toContain(mismatched.status);
    const stale = await chunk('5-9', '56789');
    expect([202, 416]).toContain(stale.status);
    const status = await session.send({}, at);
    expect([status.status, status.headers.range]).toEqual([204, stale.status === 202 ? '0-9' : '0-4']);
    const rest = stale.status === 202 ? {} : { headers: { 'Content-Range': '5-9' }, body: '56789' };
    const put = withDigest(status.headers.location ?? '', blob);
    expect((await session.send({ method: 'PUT', ...rest }, put)).status).toBe(201);
  });

  it('U-03: of two writers at the same offset one wins, and the digest holds', async () => {
    const bytes = Buffer.alloc(4 * MIB, 'w');
    const session = await startUpload(alice, 'acme/app');
    const both = await Promise.all(
      [
        session.send({ method: 'PATCH', headers: { 'Content-Range': `0-${bytes.length - 1}` }, body: bytes }),
        session.send({ method: 'PATCH', headers: { 'Content-Range': `0-${bytes.length - 1}` }, body: bytes }),
      ].map((sent) => sent.catch(() => undefined)),
    );
    const statuses = both.map((answer) => answer?.status);
    expect(statuses.filter((status) => status === 202)).toHaveLength(1);
    for (const status of statuses) expect([202, 409, 416, undefined]).toContain(status);
    const status = await session.send({});
    expect(status.headers.range).toBe(`0-${bytes.length - 1}`);
    const put = withDigest(status.headers.location ?? '', contentOf(bytes));
    expect((await session.send({ method: 'PUT' }, put)).status).toBe(201);
  });

  it('U-04: nobody gets a blob without sending its bytes', async () => {
    const { layer } = IMAGES['globex/secret'];
    const session = await startUpload(alice, 'acme/app');
    for (const body of ['', 'other bytes', layer.bytes.subarray(1)]) {
      const fresh = await startUpload(alice, 'acme/app');
      const answer = await fresh.send({ method: 'PUT', body }, withDigest(fresh.location, layer));
      expect(codes(answer)).toEqual([400, 'DIGEST_INVALID']);
    }
    const empty = await session.send({ method: 'PUT' }, withDigest(session.location, layer));
    expect(codes(empty)).toEqual([400, 'DIGEST_INVALID']);
    const monolithic = `/v2/acme/app/blobs/uploads/?digest=${layer.digest}`;
    const posted = await send({ method: 'POST', path: monolithic, headers: session.headers, body: 'other bytes' });
    expect(codes(posted)).toEqual([400, 'DIGEST_INVALID']);
    expect((await send({ method: 'POST', path: monolithic, headers: session.headers })).status).toBe(202);
    expect((await alice.ask({ path: `/v2/acme/app/blobs/${layer.digest}` })).status).toBe(404);
  });

  it('U-04: a finished upload only repeats its end, and a cancelled one is unknown', async () => {
    const blob = contentOf(`finished ${Date.now()}`);
    const other = contentOf(`other ${Date.now()}`);
    const finished = await startUpload(alice, 'acme/app');
    const put = withDigest(finished.location, blob);
    expect((await finished.send({ method: 'PUT', body: blob.bytes }, put)).status).toBe(201);
    // A balancer sends it again whose replica died before it answered.
    expect((await finished.send({ method: 'PUT', body: blob.bytes }, put)).status).toBe(201);
    const wrong = await finished.send({ method: 'PUT', body: other.bytes }, withDigest(finished.location, other));
    expect(codes(wrong)).toEqual([400, 'DIGEST_INVALID']);
    expect((await alice.ask({ path: `/v2/acme/app/blobs/${other.digest}` })).status).toBe(404);
    const cancelled = await startUpload(alice, 'acme/app');
    expect((await cancelled.send({ method: 'DELETE' })).status).toBe(204);
    const again = withDigest(cancelled.location, blob);
    expect(codes(await cancelled.send({ method: 'PUT', body: blob.bytes }, again))).toEqual(UNKNOWN);
    for (const session of [finished, cancelled]) {
      expect(codes(await session.send({ method: 'PATCH', body: 'x' }))).toEqual(UNKNOWN);
      expect(codes(await session.send({}))).toEqual(UNKNOWN);
      expect(codes(await session.send({ method: 'DELETE' }))).toEqual(UNKNOWN);
    }
  });

  it('U-05: a state under the former secret of the ring is good, under another secret unknown', async () => {
    const session = await startUpload(alice, 'acme/app');
    const { databaseUrl } = inject('product');
    const uploadId = /uploads\/([^?]+)/.exec(session.location)?.[1] ?? '';
    const [row] = await withOwner(databaseUrl, async (pool) => {
      const sql = `SELECT upload.repository_id, account.id AS account_id
        FROM upload, account JOIN namespace USING (id) WHERE upload.id = $1 AND namespace.name = 'alice'`;
      return (await pool.query<{ repository_id: string; account_id: string }>(sql, [uploadId])).rows;
    });
    const text = ['upload-state', 'v1', uploadId, row?.repository_id, row?.account_id, '0'].join('\n');
    const under = (secret: string): string => {
      const mac = createHmac('sha256', secret).update(text).digest('base64url');
      return session.location.replace(/_state=.*/, `_state=v1.0.${mac}`);
    };
    expect((await session.send({}, under(PLANTED.httpSecret))).status).toBe(204);
    expect((await session.send({}, under(PLANTED.formerHttpSecret))).status).toBe(204);
    expect(codes(await session.send({}, under('another-secret-of-another-registry-000')))).toEqual(UNKNOWN);
    expect(codes(await session.send({}, under('')))).toEqual(UNKNOWN);
  });

  it('U-06: an account has a bounded number of open uploads; one more is 429, and others are not concerned', async () => {
    const hoarder = await makeUser('hoarder');
    const headers = bearer(await hoarder.token(`repository:${hoarder.name}/app:pull,push`));
    const start = (): Promise<Answer> =>
      send({ method: 'POST', path: `/v2/${hoarder.name}/app/blobs/uploads/`, headers });
    const first = await start();
    const statuses: number[] = [first.status];
    while (statuses.length < LIMITS.maxUploads + 20) {
      const burst = await Promise.all(Array.from({ length: 10 }, start));
      statuses.push(...burst.map(({ status }) => status));
    }
    expect(statuses.filter((status) => status === 202)).toHaveLength(LIMITS.maxUploads);
    const refused = await start();
    expect(codes(refused)).toEqual([429, 'TOOMANYREQUESTS']);
    expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    expect((await send({ method: 'DELETE', path: first.headers.location ?? '', headers })).status).toBe(204);
    expect((await start()).status).toBe(202);
    expect((await startUpload(bob, 'globex/secret')).location).toContain('_state=');
  });

  it('U-07: states of other uploads, of other offsets and of no upload at all', async () => {
    const one = await startUpload(alice, 'acme/app');
    const other = await startUpload(alice, 'acme/app');
    const foreign = one.location.replace(/_state=.*/, other.location.slice(other.location.indexOf('_state=')));
    expect(codes(await one.send({ method: 'PATCH', body: 'x' }, foreign))).toEqual(UNKNOWN);
    const patched = await one.send({ method: 'PATCH', body: 'hello' });
    expect(patched.status).toBe(202);
    const replayed = await one.send({ method: 'PATCH', body: 'hello' });
    expect(codes(replayed)).toEqual([416, 'RANGE_INVALID']);
    expect(replayed.headers.range).toBe('0-4');
    for (const id of ['00000000-0000-4000-8000-000000000000', 'x', '-'.repeat(128), '1'.repeat(36)]) {
      const location = one.location.replace(/uploads\/[^?]+/, `uploads/${id}`);
      expect([id, ...codes(await one.send({}, location))]).toEqual([id, ...UNKNOWN]);
    }
    for (const id of ['..', '%2e%2e', 'a%2Fb', 'a'.repeat(129), 'é', "'--"]) {
      const { status } = await one.send(
        {},
        encodeURI(decodeURI(one.location.replace(/uploads\/[^?]+/, `uploads/${id}`))),
      );
      expect(`${id}: ${status}`).toMatch(/: (?:400|404)$/);
    }
  });

  it('D-12: each bit of a state counts', async () => {
    const session = await startUpload(alice, 'acme/app');
    const [path = '', state = ''] = session.location.split('?_state=');
    const edits: string[] = [];
    for (let at = 0; at < state.length; at++) {
      for (const bit of [1, 2, 4, 8, 16, 32]) {
        const flipped = String.fromCharCode(state.charCodeAt(at) ^ bit);
        edits.push(state.slice(0, at) + flipped + state.slice(at + 1));
      }
    }
    edits.push('', state.slice(1), state.slice(0, -1), `${state}A`, `${state}.`, `${state}&_state=${state}x`.slice(1));
    for (const edit of edits) {
      const answer = await session.send({}, `${path}?_state=${encodeURIComponent(edit)}`);
      expect(`${edit}: ${answer.status}`).toMatch(/: (?:400|404)$/);
      expect(['BLOB_UPLOAD_INVALID', 'BLOB_UPLOAD_UNKNOWN', 'UNSUPPORTED']).toContain(codeOf(answer));
    }
    expect((await session.send({})).status).toBe(204);
  });

  it('U-09: a Location is a path without credentials', async () => {
    const session = await startUpload(alice, 'acme/app');
    const patched = await session.send({ method: 'PATCH', body: 'x' });
    for (const location of [session.location, patched.headers.location ?? '']) {
      expect(location).toMatch(/^\/v2\/acme\/app\/blobs\/uploads\/[\w-]+\?_state=v1\.\d+\.[\w-]{43}$/);
      for (const secret of Object.values(PLANTED)) expect(location).not.toContain(secret);
    }
  });

  it('U-10: blobs of no and of one byte work; one over the limit is 413, at POST where the length is known', async () => {
    const headers = bearer(await alice.token('repository:acme/app:pull,push'));
    for (const blob of [contentOf(''), contentOf('1'), contentOf(Buffer.alloc(LIMITS.maxBlobBytes, 1))]) {
      const path = `/v2/acme/app/blobs/uploads/?digest=${blob.digest}`;
      expect((await send({ method: 'POST', path, headers, body: blob.bytes })).status).toBe(201);
      const got = await send({ path: `/v2/acme/app/blobs/${blob.digest}`, headers });
      expect(contentOf(got.bytes).digest).toBe(blob.digest);
    }
    const stated = { 'Content-Length': LIMITS.maxBlobBytes + 1, Expect: '100-continue' };
    const { port } = inject('product');
    const socket = await openSocket(port);
    const lines = Object.entries({ ...headers, ...stated, Host: 'x' }).map(([name, value]) => `${name}: ${value}\r\n`);
    socket.write(`POST /v2/acme/app/blobs/uploads/?digest=${contentOf('x').digest} HTTP/1.1\r\n${lines.join('')}\r\n`);
    expect((await collect(socket, 5000)).statuses).toEqual([413]);
    const streamed = await openSocket(port);
    const session = await startUpload(alice, 'acme/app');
    streamed.write(
      `PATCH ${session.location} HTTP/1.1\r\nHost: x\r\nAuthorization: ${headers.Authorization}\r\nTransfer-Encoding: chunked\r\n\r\n`,
    );
    const chunk = Buffer.concat([Buffer.from('100000\r\n'), Buffer.alloc(MIB), Buffer.from('\r\n')]);
    for (let sent = 0; sent <= LIMITS.maxBlobBytes / MIB; sent++) streamed.write(chunk);
    expect((await collect(streamed, 10_000)).statuses).toEqual([413]);
  });

  it('U-11: a token that ends in the middle of a request lets that request finish, and the next none', async () => {
    const real = openToken(await alice.token('repository:acme/app:pull,push'));
    const key = await readProductKey(String(real.header['kid']));
    const session = await startUpload(alice, 'acme/app');
    // Past its end by 58 s: with a leeway of a minute it is good for two more.
    const exp = Math.floor(Date.now() / 1000) - 58;
    const iat = exp - 300;
    const token = sealToken({ ...real, payload: { ...real.payload, exp, iat, nbf: iat } }, es256(key));
    const socket = await openSocket(inject('product').port);
    const login = `Host: x\r\nAuthorization: Bearer ${token}\r\nConnection: close\r\n`;
    socket.write(`PATCH ${session.location} HTTP/1.1\r\n${login}Content-Length: 12\r\n\r\n`);
    for (const bytes of ['slow', 'slow', 'slow']) {
      await delay(1100);
      socket.write(bytes);
    }
    expect((await collect(socket, 5000)).statuses).toEqual([202]);
    expect((await send({ path: session.location, headers: bearer(token) })).status).toBe(401);
    expect((await session.send({})).headers.range).toBe('0-11');
  });

  it('P9: a client that goes away in the middle leaves an upload that can be resumed', async () => {
    const bytes = Buffer.alloc(3 * MIB, 'resume');
    const session = await startUpload(alice, 'acme/app');
    const socket = await openSocket(inject('product').port);
    const login = `Host: x\r\nAuthorization: ${session.headers.Authorization}\r\n`;
    socket.write(`PATCH ${session.location} HTTP/1.1\r\n${login}Content-Length: ${bytes.length}\r\n\r\n`);
    socket.write(bytes.subarray(0, 2 * MIB), () => setTimeout(() => socket.destroy(), 300));
    let at: Answer | undefined;
    const hasOffset = async (): Promise<boolean> => {
      at = await session.send({});
      return at.headers.range !== '0-0';
    };
    await until(hasOffset, 10_000);
    const offset = Number(at?.headers.range?.slice(2)) + 1;
    expect(offset).toBeGreaterThan(0);
    const rest = {
      method: 'PATCH',
      headers: { 'Content-Range': `${offset}-${bytes.length - 1}` },
      body: bytes.subarray(offset),
    };
    const patched = await session.send(rest, at?.headers.location);
    expect(patched.status).toBe(202);
    const put = withDigest(patched.headers.location ?? '', contentOf(bytes));
    expect((await session.send({ method: 'PUT' }, put)).status).toBe(201);
  });
});
