import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { START, completed } from '@entrepot/content/ports/blob-store-trial.suite';
import { makeSelfSigned } from '@entrepot/runtime/http/self-signed.suite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { S3BlobStore, S3BlobStoreOptions } from './s3-blob-store.js';
import { MIB, openTestStore } from './s3-trial.suite.js';

const BEGUN = '<InitiateMultipartUploadResult><UploadId>id</UploadId></InitiateMultipartUploadResult>';
const SECRET = 'the-secret-of-the-key';

/** A store that takes everything, and remembers how it was asked. */
describe('requests to a store', () => {
  const asked: IncomingMessage[] = [];
  /** How it answers next, where that is another way. */
  let answer: { readonly status: number; readonly body: string };
  let server: Server;

  async function listen(made: Server): Promise<void> {
    answer = { status: 200, body: BEGUN };
    server = made;
    server.on('request', (request: IncomingMessage, response) => {
      asked.push(request);
      void buffer(request).then(() => response.writeHead(answer.status, { ETag: '"0"' }).end(answer.body));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  }

  beforeEach(() => listen(createServer()));

  afterEach(async () => {
    asked.length = 0;
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });

  function open(options: Partial<S3BlobStoreOptions> = {}, scheme = 'http'): S3BlobStore {
    const endpoint = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const place = { endpoint, bucket: 'blobs', region: 'eu-central-1', accessKey: 'key', secretKey: SECRET };
    return openTestStore({ ...place, pathStyle: true }, { prefix: 'some/where/', ...options });
  }

  it('lie below the prefix, in the bucket that the path names', async () => {
    await putSmall(open());
    const [object, record] = asked.map(({ url }) => url);
    expect(object).toMatch(/^\/blobs\/some\/where\/objects\/[0-9a-f]{2}\/[0-9a-f]{2}\/s3-[0-9a-f]{32}-[0-9a-f]{16}$/);
    expect(record).toBe(`${object}.json`);
  });

  it.each([
    [200, '<Rule><AbortIncompleteMultipartUpload></AbortIncompleteMultipartUpload></Rule>', true],
    [200, '<Rule><Expiration></Expiration></Rule>', false],
    [404, '<Error><Code>NoSuchLifecycleConfiguration</Code></Error>', false],
    [501, '<Error><Code>NotImplemented</Code></Error>', undefined],
    [403, '<Error><Code>AccessDenied</Code></Error>', undefined],
  ])('ask for the rules of the bucket: %i %s', async (status, body, expected) => {
    answer = { status, body };
    expect(await open().endsUploads()).toBe(expected);
    expect(asked.at(-1)?.url).toBe('/blobs?lifecycle');
  });

  it('are signed over the digest of their body, for the region, and never carry the secret', async () => {
    await putSmall(open());
    const { headers } = asked[0] ?? {};
    expect(headers?.['x-amz-content-sha256']).toMatch(/^[0-9a-f]{64}$/);
    expect(headers?.authorization).toMatch(/Credential=key\/\d{8}\/eu-central-1\/s3\/aws4_request/);
    expect(JSON.stringify(asked.map(({ rawHeaders, url }) => [rawHeaders, url]))).not.toContain(SECRET);
  });

  it.each<[Record<string, string>]>([
    [{ 'x-amz-server-side-encryption': 'AES256' }],
    [{ 'x-amz-server-side-encryption': 'aws:kms', 'x-amz-server-side-encryption-aws-kms-key-id': 'id-of-a-key' }],
  ])('ask for encryption of every object: %o', async (encryption) => {
    const store = open({ encryption });
    await putSmall(store);
    const writer = await store.write(store.newKey(), START);
    await writer.write(Buffer.alloc(9 * MIB));
    await writer.abandon();
    const begun = asked.filter(({ method, url }) => method === 'POST' && url?.endsWith('?uploads'));
    expect(begun).toHaveLength(1);
    for (const { headers } of [...asked.slice(0, 2), ...begun]) expect(headers).toMatchObject(encryption);
  });

  it('are addressed to the host of the bucket where that is wanted, signed links to the public one', async () => {
    const endpoint = new URL('https://store.example');
    const publicEndpoint = new URL('https://blobs.example:8443');
    const store = open({ endpoint, publicEndpoint, isPathStyle: false });
    const key = `${store.newKey()}-0123456789abcdef` as ReturnType<typeof store.newKey>;
    const answer = { expirySeconds: 60, contentType: 'application/octet-stream', contentDisposition: 'attachment' };
    const url = new URL(await store.sign(key, answer));
    expect(url.host).toBe('blobs.blobs.example:8443');
    expect(url.pathname).toMatch(/^\/some\/where\/objects\//);
    expect(Object.fromEntries(url.searchParams)).toMatchObject({
      'X-Amz-Expires': '60',
      'response-content-type': 'application/octet-stream',
      'response-content-disposition': 'attachment',
    });
    expect(() => store.sign(store.newKey(), answer)).toThrow(/no object/);
  });

  it('trust the authorities that are named, and only these', async () => {
    server.close();
    const { key, certificate } = makeSelfSigned('store');
    await listen(createSecureServer({ key, cert: certificate }));
    await putSmall(open({ ca: certificate }, 'https'));
    expect(asked).toHaveLength(2);
    await expect(putSmall(open({}, 'https'))).rejects.toThrow(/name (it|the authority) in ENTREPOT_STORAGE_CA/);
    expect(asked).toHaveLength(2);
  });
});

async function putSmall(store: S3BlobStore): Promise<void> {
  const writer = await store.write(store.newKey(), START);
  await writer.write(Buffer.from('small'));
  await completed(writer);
}
