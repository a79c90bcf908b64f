import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { JoinedBlobStore, MemoryBlobStore, MemoryRecoveryLog, type ObjectPlace } from '@entrepot/blob-store';
import { put } from '@entrepot/content/ports/blob-store-trial.suite';
import type { Digest } from '@entrepot/oci';
import { answerError, createLogger } from '@entrepot/runtime';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { deliverBlob, type BlobAnswer, type Delivery, type ReadFailure } from './deliver-blob.js';

const LOGGER = createLogger({ level: 'silent', format: 'json' }, { service: 'spec' });
const BYTES = randomBytes(5_000_000);
const RIGHT = digestOf(BYTES);
const HEADERS = { ETag: '"etag"', 'Cache-Control': 'private' };

const store = new MemoryBlobStore();
let failures: ReadFailure[];
let suspected: ReadFailure[];
let server: Server;
/** What the next request is answered with. */
let deliver: (request: IncomingMessage) => { delivery: Delivery; answer: BlobAnswer };

beforeEach(async () => {
  failures = [];
  suspected = [];
  server = createServer((incoming, response) => {
    const { delivery, answer } = deliver(incoming);
    deliverBlob(delivery, { request: incoming, response }, answer).catch((error: unknown) =>
      answerError(incoming, response, error, { logger: LOGGER }),
    );
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});

afterEach(() => {
  server.close();
  server.closeAllConnections();
});

function digestOf(bytes: Uint8Array): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function deliveryOf(place: Partial<ObjectPlace>, ways: Partial<Delivery> = {}): Delivery {
  const whole = {
    name: 'memory',
    where: 'here',
    keyPattern: '.',
    store,
    isRemote: true,
    recovery: new MemoryRecoveryLog(),
    ...place,
  };
  return {
    store: new JoinedBlobStore(whole, [whole]),
    verifiesAll: false,
    linkExpirySeconds: 300,
    mayFollowLinks: () => false,
    fileLocation: () => undefined,
    noteFailure: (failure) => failures.push(failure),
    suspect: async (failure) => void suspected.push(failure),
    ...ways,
  };
}

async function answerWith(stored: Buffer, { range }: Pick<BlobAnswer, 'range'> = { range: undefined }) {
  const objectKey = await put(store, [stored]);
  return { blob: { objectKey, digest: RIGHT, sizeBytes: BYTES.length }, range, headers: HEADERS };
}

/** Status, headers and body; the body of an answer that was cut ends early, and says so. */
async function get(delivery: Delivery, answer: BlobAnswer) {
  deliver = () => ({ delivery, answer });
  const { port } = server.address() as AddressInfo;
  const [incoming] = (await once(request({ port, host: '127.0.0.1' }).end(), 'response')) as [IncomingMessage];
  const chunks: Buffer[] = [];
  let isCut = false;
  try {
    for await (const chunk of incoming) chunks.push(chunk as Buffer);
  } catch {
    isCut = true;
  }
  return { status: incoming.statusCode, headers: incoming.headers, body: Buffer.concat(chunks), isCut };
}

const sign: ObjectPlace['sign'] = async (key, terms) =>
  `http://store/${key}?${new URLSearchParams({ ...terms, expirySeconds: String(terms.expirySeconds) }).toString()}`;

function spoilt(position: number): Buffer {
  const bytes = Buffer.from(BYTES);
  bytes[position] = (bytes[position] ?? 0) ^ 1;
  return bytes;
}

describe('a blob from an object store', () => {
  it('is verified while it is sent', async () => {
    const { status, body, isCut } = await get(deliveryOf({}), await answerWith(BYTES));
    expect({ status, isCut, isRight: body.equals(BYTES) }).toEqual({ status: 200, isCut: false, isRight: true });
    expect(failures).toEqual([]);
  });

  it('is cut before its last byte where the bytes are others', async () => {
    const { status, body, isCut } = await get(deliveryOf({}), await answerWith(spoilt(17)));
    expect({ status, isCut }).toEqual({ status: 200, isCut: true });
    expect(body.length).toBeLessThan(BYTES.length);
    expect(failures).toEqual(['corrupt']);
  });

  it('is cut where the object is shorter', async () => {
    const { isCut, body } = await get(deliveryOf({}), await answerWith(BYTES.subarray(0, 3_000_000)));
    expect(isCut).toBe(true);
    expect(body.length).toBeLessThan(BYTES.length);
    expect(failures).toEqual(['short']);
    expect(suspected).toEqual(['short']);
  });

  it('is 503 where nothing was sent yet', async () => {
    const small = Buffer.from('other');
    const answer = { ...(await answerWith(small)), blob: { ...(await answerWith(small)).blob, sizeBytes: 5 } };
    const { status, headers } = await get(deliveryOf({}), answer);
    expect(status).toBe(503);
    expect(headers['retry-after']).toBe('1');
    expect(failures).toEqual(['corrupt']);
  });

  it('is 503, and no 404, where the object is missing', async () => {
    const answer = await answerWith(BYTES);
    await store.remove(answer.blob.objectKey);
    expect((await get(deliveryOf({}), answer)).status).toBe(503);
    expect(failures).toEqual(['missing']);
    expect(suspected).toEqual(['missing']);
  });

  it('is sent from the object that it has now, where another one was found', async () => {
    const answer = await answerWith(BYTES);
    const findKey = async () => (await answerWith(BYTES)).blob.objectKey;
    await store.remove(answer.blob.objectKey);
    const { status, body } = await get(deliveryOf({}), { ...answer, findKey });
    expect({ status, isRight: body.equals(BYTES) }).toEqual({ status: 200, isRight: true });
    expect(failures).toEqual([]);
  });

  it('is 503 where its store is not set up', async () => {
    expect((await get(deliveryOf({ keyPattern: '^other' }), await answerWith(BYTES))).status).toBe(503);
    expect(failures).toEqual(['unavailable']);
  });

  it('is sent in ranges as it is', async () => {
    const range = { start: 10, end: 1_000_000 };
    const { status, headers, body } = await get(deliveryOf({}), await answerWith(spoilt(17), { range }));
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes 10-1000000/${BYTES.length}`);
    expect(body.equals(spoilt(17).subarray(10, 1_000_001))).toBe(true);
  });
});

describe('a blob from files', () => {
  it('is verified only where all are', async () => {
    const answer = await answerWith(spoilt(17));
    expect(await get(deliveryOf({ isRemote: false }), answer)).toMatchObject({ status: 200, isCut: false });
    expect(await get(deliveryOf({ isRemote: false }, { verifiesAll: true }), answer)).toMatchObject({ isCut: true });
    expect(failures).toEqual(['corrupt']);
  });

  it('is left to the web server in front where there is one', async () => {
    const answer = await answerWith(BYTES);
    const files = { isRemote: false, pathOf: (key: string) => `objects/${key}` };
    const { status, headers, body } = await get(deliveryOf(files, { fileLocation: () => '/files/' }), answer);
    expect(status).toBe(200);
    expect(headers['x-accel-redirect']).toBe(`/files/objects/${answer.blob.objectKey}`);
    expect(headers['etag']).toBe('"etag"');
    expect(body).toHaveLength(0);
    const direct = await get(deliveryOf(files), answer);
    expect(direct.headers['x-accel-redirect']).toBeUndefined();
    expect(direct.body.equals(BYTES)).toBe(true);
  });

  it('is not left to it where the file is missing or short', async () => {
    const files = deliveryOf({ isRemote: false, pathOf: (key) => key }, { fileLocation: () => '/files/' });
    const short = await answerWith(BYTES.subarray(1));
    expect((await get(files, short)).status).toBe(503);
    await store.remove(short.blob.objectKey);
    expect((await get(files, short)).status).toBe(503);
    expect(failures).toEqual(['short', 'missing']);
  });
});

describe('a blob behind a link', () => {
  it('is a redirect for clients of the rule, with type, disposition and expiry signed', async () => {
    const answer = await answerWith(BYTES);
    const { status, headers, body } = await get(deliveryOf({ sign }, { mayFollowLinks: () => true }), answer);
    expect(status).toBe(307);
    const location = new URL(headers.location ?? '');
    expect(location.pathname).toBe(`/${answer.blob.objectKey}`);
    expect(Object.fromEntries(location.searchParams)).toEqual({
      expirySeconds: '300',
      contentType: 'application/octet-stream',
      contentDisposition: 'attachment',
    });
    expect(headers['cache-control']).toBe('no-store');
    expect(body).toHaveLength(0);
  });

  it('is bytes for all others', async () => {
    const { status, headers } = await get(deliveryOf({ sign }), await answerWith(BYTES));
    expect(status).toBe(200);
    expect(headers.location).toBeUndefined();
  });
});
