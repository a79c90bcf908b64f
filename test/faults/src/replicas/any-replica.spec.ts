import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { contentOf, digestOf, type Content } from '@entrepot/testkit/images';
import type { Answer, RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { untilDead } from '../world/process-state.js';
import { withDigest } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { openTestStore, STORES, type TestStore } from '../world/stores.js';
import { connect } from '../world/target.js';

const UPLOADS = '/v2/admin/any/blobs/uploads/';
const PIECE_BYTES = 6 * 2 ** 20 + 12_345;
/** Of replicas that are killed. */
const LEASE_MS = 1000;

/** Three pieces, and what they make together. */
interface Pieces {
  readonly content: Content;
  piece(index: number): Buffer;
  range(index: number): string;
}

function newPieces(): Pieces {
  const content = contentOf('application/octet-stream', randomBytes(3 * PIECE_BYTES));
  const start = (index: number): number => index * PIECE_BYTES;
  return {
    content,
    piece: (index) => content.bytes.subarray(start(index), start(index + 1)),
    range: (index) => `${start(index)}-${start(index + 1) - 1}`,
  };
}

function on(client: RegistryClient | undefined): RegistryClient {
  if (!client) throw new Error('no replica');
  return client;
}

function patch(client: RegistryClient | undefined, path: string, body: Buffer, range?: string): Promise<Answer> {
  const headers = range === undefined ? {} : { 'Content-Range': range };
  return on(client).send({ method: 'PATCH', path, body, headers });
}

function put(client: RegistryClient | undefined, path: string, digest: string, body?: Buffer): Promise<Answer> {
  const sent = body ? { body } : { headers: { 'Content-Length': 0 } };
  return on(client).send({ method: 'PUT', path: withDigest(path, digest), ...sent });
}

async function readBlob(client: RegistryClient | undefined, digest: string): Promise<Buffer> {
  return (await on(client).send({ method: 'GET', path: `/v2/admin/any/blobs/${digest}` })).body;
}

describe.each(STORES)('replicas that share an upload in %s', (kind) => {
  let store: TestStore;
  let replicas: Replicas;
  let [toA, toB]: RegistryClient[] = [];

  beforeAll(async () => {
    store = await openTestStore(kind);
    replicas = await startReplicas({ storage: store.settings });
    const patient = { ENTREPOT_CONTENT_UPLOAD_LEASE: '15s' };
    const lasting = [await replicas.start(patient), await replicas.start(patient)];
    [toA, toB] = lasting.map((replica) => connect(replicas.target(replica)));
  });
  afterAll(async () => {
    toA?.close();
    toB?.close();
    await replicas.remove();
    await store.remove();
  });

  const begin = async () =>
    String((await on(toA).send({ method: 'POST', path: UPLOADS, headers: { 'Content-Length': 0 } })).headers.location);
  it('take it from each other request by request, while one of them is killed', async () => {
    const c = await replicas.start();
    const toC = connect(replicas.target(c));
    const { content, piece, range } = newPieces();
    const begun = await begin();
    const first = await patch(toB, begun, piece(0), range(0));
    expect(first.status).toBe(202);
    const status = await toC.send({ method: 'GET', path: String(first.headers.location) });
    expect(status.status).toBe(204);
    expect(status.headers.range).toBe(`0-${PIECE_BYTES - 1}`);
    await c.kill();
    toC.close();
    const second = await patch(toA, String(status.headers.location), piece(1), range(1));
    expect(second.headers.range).toBe(`0-${2 * PIECE_BYTES - 1}`);
    expect((await put(toB, String(second.headers.location), content.digest, piece(2))).status).toBe(201);
    expect((await readBlob(toA, content.digest)).equals(content.bytes)).toBe(true);
  });

  it('finish a stream that another one took', async () => {
    const { content } = newPieces();
    const streamed = await patch(toB, await begin(), content.bytes);
    expect((await put(toA, String(streamed.headers.location), content.digest)).status).toBe(201);
    expect((await readBlob(toB, content.digest)).equals(content.bytes)).toBe(true);
  });

  it('answer a finish again that another one has committed, with its bytes and without', async () => {
    const { content, piece, range } = newPieces();
    const first = await patch(toA, await begin(), Buffer.concat([piece(0), piece(1)]));
    const location = String(first.headers.location);
    const sent = await put(toA, location, content.digest, piece(2));
    expect(sent.status).toBe(201);
    for (const client of [toB, toA]) {
      expect((await put(client, location, content.digest, piece(2))).status).toBe(201);
      const again = await put(client, location, content.digest);
      expect(again.status).toBe(201);
      expect(again.headers.location).toBe(sent.headers.location);
      expect((await put(client, location, digestOf(Buffer.from('other')))).status).toBe(400);
      expect((await patch(client, location, piece(2), range(2))).status).toBe(404);
      expect((await on(client).send({ method: 'GET', path: location })).status).toBe(404);
    }
    await on(toB).send({
      method: 'DELETE',
      path: `/v2/admin/any/blobs/${content.digest}`,
      headers: { 'Content-Length': 0 },
    });
    expect((await put(toA, location, content.digest)).status).toBe(404);
  });

  it('refuse a forged state alike, whatever is asked, and leave the upload as it was', async () => {
    const { content, piece } = newPieces();
    const location = String((await patch(toB, await begin(), piece(0))).headers.location);
    const another = String(await begin());
    const [path, state = ''] = location.split('_state=');
    const [version, offset, mac = ''] = state.split('.');
    const flipped = `${mac.startsWith('A') ? 'B' : 'A'}${mac.slice(1)}`;
    const forged = [
      `${path}_state=${version}.${offset}.${flipped}`,
      `${path}_state=${version}.0.${mac}`,
      `${path}_state=${version}.${offset}`,
      `${path}_state=`,
      `${path}_state=${another.split('_state=')[1]}`,
      String(path).replace(/\?.*$/, ''),
      `${another.split('?')[0]}?_state=${state}`,
      location.replace(UPLOADS, '/v2/admin/other/blobs/uploads/'),
    ];
    for (const each of forged) {
      for (const client of [toA, toB]) {
        const answers = [
          await on(client).send({ method: 'GET', path: each }),
          await patch(client, each, Buffer.from('x')),
          await put(client, each.includes('?') ? each : `${each}?`, content.digest),
          await on(client).send({ method: 'DELETE', path: each, headers: { 'Content-Length': 0 } }),
        ];
        for (const { status } of answers) expect([400, 404]).toContain(status);
      }
    }
    const rest = content.bytes.subarray(PIECE_BYTES);
    expect((await put(toA, location, content.digest, rest)).status).toBe(201);
  });

  it('let one of them write at a time, and the others say where it stands or when to come back', async () => {
    const { content, piece, range } = newPieces();
    const location = await begin();
    const held = Promise.withResolvers<void>();
    const writing = on(toB).send({
      method: 'PATCH',
      path: location,
      body: (async function* () {
        yield piece(0);
        await held.promise;
      })(),
    });
    while ((await replicas.query('SELECT FROM upload WHERE lease_until > now()')).length === 0) await delay(5);
    const early = await patch(toA, location, piece(1), range(1));
    expect(early.status).toBe(416);
    expect(early.headers.range).toBe('0-0');
    for (const refused of [
      await patch(toA, location, piece(0), range(0)),
      await put(toA, location, content.digest, content.bytes),
      await put(toA, location, content.digest),
    ]) {
      expect(refused.status).toBe(409);
      expect(Number(refused.headers['retry-after'])).toBeGreaterThan(0);
    }
    held.resolve();
    expect((await writing).status).toBe(202);
    const rest = content.bytes.subarray(PIECE_BYTES);
    const next = String((await writing).headers.location);
    expect((await put(toA, next, content.digest, rest)).status).toBe(201);
    expect((await readBlob(toB, content.digest)).equals(content.bytes)).toBe(true);
  });

  it('go on with what one of them left when it was killed, once its lease is over', async () => {
    const { content } = newPieces();
    const c = await replicas.start();
    const toC = connect(replicas.target(c));
    const location = await begin();
    const sent = Promise.withResolvers<void>();
    const broken = toC.send({
      method: 'PATCH',
      path: location,
      body: (async function* () {
        for (let at = 0; at < content.bytes.length; at += 2 ** 20) {
          yield content.bytes.subarray(at, at + 2 ** 20);
          await delay(LEASE_MS / 8);
          if (at > content.bytes.length / 2) sent.resolve();
        }
      })(),
    });
    const outcome = broken.catch(() => 'broken');
    await sent.promise;
    await c.kill();
    await untilDead(c);
    expect(await outcome).toBe('broken');
    toC.close();
    const killedMs = performance.now();
    const finish = async () => {
      const status = await on(toA).send({ method: 'GET', path: location });
      const last = Number(/^0-(\d+)$/.exec(String(status.headers.range))?.[1]);
      // `0-0` stands for nothing, too.
      const start = last === 0 ? 0 : last + 1;
      return patch(toA, location, content.bytes.subarray(start), `${start}-${content.bytes.length - 1}`);
    };
    let next = await finish();
    for (; next.status === 409; next = await finish()) {
      expect(next.headers['retry-after']).toBeDefined();
      await delay(50);
    }
    expect(next.status).toBe(202);
    console.log(`the lease was free ${Math.round(performance.now() - killedMs)} ms after its replica was killed`);
    expect((await put(toB, String(next.headers.location), content.digest)).status).toBe(201);
    expect((await readBlob(toA, content.digest)).equals(content.bytes)).toBe(true);
  });
});
