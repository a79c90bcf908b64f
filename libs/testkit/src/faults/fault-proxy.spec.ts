import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectS3, isS3ServerSkipped, newTestBucket } from '../s3/test-bucket.js';
import { startFaultProxy, type Fault, type FaultProxy } from './fault-proxy.js';

const BODY = Buffer.alloc(300_000, 'answer');

describe('fault proxy', () => {
  let server: Server;
  let proxy: FaultProxy;
  /** Bodies that the server has read to their end. */
  let received: Buffer[];

  beforeEach(async () => {
    received = [];
    server = createServer((request, response) => {
      buffer(request).then(
        (bytes) => {
          received.push(bytes);
          response.writeHead(200, { 'Content-Length': BODY.length, 'X-Host': request.headers.host }).end(BODY);
        },
        () => response.destroy(),
      );
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    proxy = await startFaultProxy(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  });
  afterEach(async () => {
    await proxy.close();
    server.close();
  });

  const get = async () => Buffer.from(await (await fetch(`${proxy.origin}/a?b=c`)).arrayBuffer());
  const put = (body: Buffer) => fetch(`${proxy.origin}/put`, { method: 'PUT', body });
  const withFault = (fault: Fault) => void proxy.add({ fault });

  it('passes everything on as it came', async () => {
    const answer = await put(BODY);
    expect(answer.headers.get('x-host')).toBe(new URL(proxy.origin).host);
    expect(Buffer.from(await answer.arrayBuffer()).equals(BODY)).toBe(true);
    expect(received).toEqual([BODY]);
    expect(proxy.seen).toEqual([{ method: 'PUT', url: '/put', fault: undefined }]);
  });

  it('answers in the place of the server', async () => {
    withFault({ kind: 'answer', status: 503, code: 'SlowDown' });
    const answer = await put(BODY);
    expect(answer.status).toBe(503);
    expect(await answer.text()).toContain('<Code>SlowDown</Code>');
    expect(received).toEqual([]);
  });

  it('refuses, and drops the answer to what was done', async () => {
    proxy.add({ fault: { kind: 'refuse' }, times: 1 });
    await expect(put(BODY)).rejects.toThrow('fetch failed');
    expect(received).toEqual([]);
    proxy.add({ fault: { kind: 'dropAnswer' }, times: 1 });
    await expect(put(BODY)).rejects.toThrow('fetch failed');
    expect(received).toEqual([BODY]);
  });

  it('resets in the middle of either body', async () => {
    proxy.add({ fault: { kind: 'reset', body: 'request', afterBytes: 100_000 }, times: 1 });
    await expect(put(BODY)).rejects.toThrow('fetch failed');
    expect(received).toEqual([]);
    proxy.add({ fault: { kind: 'reset', body: 'answer', afterBytes: 100_000 }, times: 1 });
    await expect(get()).rejects.toThrow('terminated');
    expect(await get()).toEqual(BODY);
  });

  it('cuts an answer short, and makes a short one look whole', async () => {
    proxy.add({ fault: { kind: 'truncate', afterBytes: 1_000 }, times: 1 });
    await expect(get()).rejects.toThrow('terminated');
    proxy.add({ fault: { kind: 'length', deltaBytes: 10 }, times: 1 });
    await expect(get()).rejects.toThrow('terminated');
    proxy.add({ fault: { kind: 'length', deltaBytes: -10 }, times: 1 });
    expect(await get()).toEqual(BODY.subarray(0, -10));
  });

  it('stalls until it is let go', async () => {
    withFault({ kind: 'stall', body: 'answer', afterBytes: 1_000 });
    const answer = await fetch(proxy.origin);
    const reader = answer.body?.getReader();
    const first = await reader?.read();
    expect(first?.value).toHaveLength(1_000);
    const next = reader?.read();
    proxy.clear();
    await expect(next).rejects.toThrow('terminated');

    withFault({ kind: 'stall', body: 'request', afterBytes: 1_000 });
    const asking = put(BODY);
    await expect(Promise.race([asking, once(server, 'request').then(() => 'arrived')])).resolves.toBe('arrived');
    proxy.clear();
    await expect(asking).rejects.toThrow('fetch failed');
    expect(received).toHaveLength(1);
  });

  it('flips a bit of either body', async () => {
    proxy.add({ fault: { kind: 'flip', body: 'answer', atByte: 200_000 }, times: 1 });
    expect(differences(await get(), BODY)).toEqual([200_000]);
    proxy.add({ fault: { kind: 'flip', body: 'request', atByte: 7 }, times: 1 });
    await (await put(BODY)).arrayBuffer();
    expect(differences(received.at(-1) ?? Buffer.alloc(0), BODY)).toEqual([7]);
  });

  it('delays and throttles, and changes nothing', async () => {
    proxy.add({ fault: { kind: 'delay', delayMs: 10 }, times: 1 });
    expect(await get()).toEqual(BODY);
    proxy.add({ fault: { kind: 'throttle', bytesPerSecond: 10_000_000 }, times: 1 });
    expect(await get()).toEqual(BODY);
  });

  it('applies rules to the requests that they name', async () => {
    const fault = { kind: 'answer', status: 500, code: 'InternalError' } as const;
    const remove = proxy.add({ method: 'GET', url: /^\/x\?y/, skip: 1, times: 2, everyNth: 2, fault });
    const asked = ['/x?y=1', '/x?y=2', '/z', '/x?y=3', '/x?y=4', '/x?y=5', '/x?y=6'];
    const statuses: number[] = [];
    for (const path of asked) {
      const answer = await fetch(`${proxy.origin}${path}`);
      await answer.arrayBuffer();
      statuses.push(answer.status);
    }
    expect(statuses).toEqual([200, 500, 200, 200, 500, 200, 200]);
    expect(proxy.count({ url: /^\/x/ })).toBe(6);
    remove();
    expect(await get()).toEqual(BODY);
  });

  it.skipIf(isS3ServerSkipped('versitygw'))('keeps signatures right', async () => {
    const place = await newTestBucket('versitygw');
    const between = await startFaultProxy(place.endpoint);
    const client = connectS3({ ...place, endpoint: between.origin });
    await client.putObject(place.bucket, 'signed', BODY);
    expect(await buffer(await client.getObject(place.bucket, 'signed'))).toEqual(BODY);
    await between.close();
  });
});

function differences(one: Buffer, other: Buffer): number[] {
  return [...one].flatMap((byte, index) => (byte === other[index] ? [] : [index]));
}
