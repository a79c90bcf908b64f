import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { get, type IncomingMessage } from 'node:http';
import { startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf, type Content } from '@entrepot/testkit/images';
import type { RegistryClient } from '@entrepot/testkit/registry-client';
import { connectS3, isS3ServerSkipped, newTestBucket, type S3Bucket } from '@entrepot/testkit/test-bucket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { objectsIn, s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';
import { watchStore, type WatchedStore } from './watched-store.js';

const REPOSITORY = 'admin/downloads';
const BLOB_BYTES = 80 * 2 ** 20;
/** More than sockets and buffers on the way take, and far less than the blob. */
const ON_THE_WAY_BYTES = 40 * 2 ** 20;
const INSIDE = '10.1.2.3';
const OUTSIDE = '203.0.113.9';

const pathOf = ({ digest }: Content) => `/v2/${REPOSITORY}/blobs/${digest}`;

describe.skipIf(isS3ServerSkipped('versitygw'))('downloads from S3', () => {
  let bucket: S3Bucket;
  let store: WatchedStore;
  let product: Entrepot;
  let client: RegistryClient;
  const content = contentOf('application/octet-stream', randomBytes(BLOB_BYTES));

  beforeAll(async () => {
    bucket = await newTestBucket('versitygw');
    store = await watchStore(bucket.endpoint);
    product = await startEntrepot({
      settings: {
        ...s3Settings(bucket, store.origin),
        ENTREPOT_STORAGE_PUBLIC_ENDPOINT: bucket.endpoint,
        ENTREPOT_STORAGE_REDIRECT_NETWORKS: '10.0.0.0/8',
        ENTREPOT_HTTP_TRUSTED_PROXIES: '127.0.0.1',
        ENTREPOT_HTTP_ACCESS_LOG: 'combined',
        ENTREPOT_LOG_LEVEL: 'trace',
        // Longer than any test: what ends earlier does not end by this.
        ENTREPOT_STORAGE_IDLE_TIMEOUT: '10m',
      },
    });
    client = connect(product);
    await pushBlob({ client, journal: new Journal(), repository: REPOSITORY }, content, 'streamed');
  });
  afterAll(async () => {
    client.close();
    await product.remove();
    await store.close();
  });

  const ask = (method: string, from: string, headers: Record<string, string> = {}) =>
    client.send({ method, path: pathOf(content), headers: { 'X-Forwarded-For': from, ...headers } });

  /** A client that reads as fast as it is told to. */
  async function beginDownload(): Promise<IncomingMessage> {
    const token = await client.token([`repository:${REPOSITORY}:pull`]);
    const outgoing = get(new URL(pathOf(content), product.url), { headers: { Authorization: `Bearer ${token}` } });
    outgoing.on('error', () => {});
    const [incoming] = (await once(outgoing, 'response')) as [IncomingMessage];
    incoming.on('error', () => {});
    return incoming;
  }

  it('are streamed to clients outside of the rule, with ranges', async () => {
    const whole = await ask('GET', OUTSIDE);
    expect(whole.status).toBe(200);
    expect(whole.body.equals(content.bytes)).toBe(true);
    const part = await ask('GET', OUTSIDE, { Range: 'bytes=10000000-20000000' });
    expect(part.status).toBe(206);
    expect(part.headers['content-range']).toBe(`bytes 10000000-20000000/${BLOB_BYTES}`);
    expect(part.body.equals(content.bytes.subarray(10_000_000, 20_000_001))).toBe(true);
  });

  it('C-13: are a link for clients of the rule, to bytes of a pinned type that end in time', async () => {
    const { status, headers } = await ask('GET', INSIDE);
    expect(status).toBe(307);
    const location = new URL(headers.location ?? '');
    expect(location.origin).toBe(bucket.endpoint);
    expect(Number(location.searchParams.get('X-Amz-Expires'))).toBe(300);
    const answer = await fetch(location);
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/octet-stream');
    expect(answer.headers.get('content-disposition')).toBe('attachment');
    expect(Buffer.from(await answer.arrayBuffer()).equals(content.bytes)).toBe(true);
    const part = await fetch(location, { headers: { Range: 'bytes=5-9' } });
    expect(part.status).toBe(206);
    expect(Buffer.from(await part.arrayBuffer()).equals(content.bytes.subarray(5, 10))).toBe(true);
  });

  it('C-13: are no link to anything else', async () => {
    const { headers } = await ask('GET', INSIDE);
    const link = new URL(headers.location ?? '');
    const changed = (change: (url: URL) => void): URL => {
      const url = new URL(link);
      change(url);
      return url;
    };
    const other = (await objectsIn(bucket)).find((name) => name.endsWith('.json'));
    const attempts = [
      changed((url) => url.searchParams.set('response-content-type', 'text/html')),
      changed((url) => url.searchParams.delete('response-content-disposition')),
      changed((url) => url.searchParams.set('X-Amz-Expires', '604800')),
      changed((url) => (url.pathname = `/${bucket.bucket}/${other}`)),
    ];
    for (const url of attempts) expect((await fetch(url)).status).toBe(403);
    expect((await fetch(link, { method: 'DELETE' })).status).toBe(403);
    expect((await fetch(link, { method: 'PUT', body: 'x' })).status).toBe(403);
  });

  it('are never a link for HEAD, nor for who may not pull', async () => {
    const head = await ask('HEAD', INSIDE);
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(String(BLOB_BYTES));
    const denied = await fetch(new URL(pathOf(content), product.url), { headers: { 'X-Forwarded-For': INSIDE } });
    expect(denied.status).toBe(401);
    expect(denied.headers.get('location')).toBeNull();
    expect((await ask('GET', INSIDE, { Range: 'bytes=500-0' })).status).toBe(416);
  });

  it('wait for a client that does not read, and end when it goes', async () => {
    await until(() => store.downloads === 0, 'earlier downloads to end');
    const before = store.sentBytes;
    const brokenOff = store.brokenOff;
    const download = await beginDownload();
    await until(() => store.downloads === 1, 'the download to begin');
    let last = -1;
    await until(() => {
      const isStill = store.sentBytes === last;
      last = store.sentBytes;
      return isStill;
    }, 'the store to be waited for');
    expect(store.sentBytes - before).toBeLessThan(ON_THE_WAY_BYTES);
    download.destroy();
    await until(() => store.downloads === 0, 'the read from the store to end');
    expect(store.brokenOff).toBe(brokenOff + 1);
    expect(store.sentBytes - before).toBeLessThan(ON_THE_WAY_BYTES);
  });

  it('end when the client goes while the store says nothing', async () => {
    const brokenOff = store.brokenOff;
    store.isSilent = true;
    const download = await beginDownload();
    await until(() => store.downloads === 1, 'the download to begin');
    download.destroy();
    await until(() => store.downloads === 0, 'the read from the store to end');
    expect(store.brokenOff).toBe(brokenOff + 1);
    store.isSilent = false;
    const metrics = await (await fetch(`http://127.0.0.1:${product.opsPort}/metrics`)).text();
    expect(metrics).toMatch(/blob_read_failures_total\{[^}]*reason="unavailable"[^}]*\} 0\n/);
  });

  it('L-08: leave no signed URL in any output', () => {
    expect(product.output()).toContain(`/v2/${REPOSITORY}/blobs/`);
    expect(product.output()).not.toContain('X-Amz-Signature');
  });

  it('are 503 and no 404 when the object is gone', async () => {
    const lost = contentOf('application/octet-stream', randomBytes(1000));
    await pushBlob({ client, journal: new Journal(), repository: REPOSITORY }, lost, 'whole');
    const s3 = connectS3(bucket);
    for (const name of await objectsIn(bucket)) {
      const { size } = await s3.statObject(bucket.bucket, name);
      if (size === lost.bytes.length) await s3.removeObject(bucket.bucket, name);
    }
    const answer = await client.send({ method: 'GET', path: pathOf(lost) });
    expect(answer.status).toBe(503);
    expect(answer.headers['retry-after']).toBeDefined();
    const metrics = await (await fetch(`http://127.0.0.1:${product.opsPort}/metrics`)).text();
    expect(metrics).toMatch(/blob_read_failures_total\{[^}]*reason="missing"[^}]*\} 1\n/);
    expect(product.output()).toContain(lost.digest);
  });
});
