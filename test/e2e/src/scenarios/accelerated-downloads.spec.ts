import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { digestOf } from '@entrepot/testkit/images';
import { openRegistry, type RegistryClient } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isSkipped } from '../world/find-tool.js';

const NGINX = '/usr/sbin/nginx';
const SNIPPET = new URL('../../../../deploy/nginx/accel.conf', import.meta.url);
const BYTES = randomBytes(3_000_001);
const DIGEST = digestOf(BYTES);
const BLOB = `/v2/admin/files/blobs/${DIGEST}`;

/** Blobs that nginx sends from the files, as deploy/nginx/accel.conf has it. */
describe.skipIf(isSkipped('downloads by nginx', ['nginx'], { needsRoot: true }))('behind nginx', () => {
  let product: Entrepot;
  let nginx: ChildProcess;
  let directory: string;
  let client: RegistryClient;
  let direct: RegistryClient;
  let front: string;

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'entrepot-accel-'));
    const port = await findFreePort();
    front = `http://127.0.0.1:${port}`;
    product = await startEntrepot({
      settings: {
        ENTREPOT_HTTP_PUBLIC_URL: front,
        ENTREPOT_HTTP_TRUSTED_PROXIES: '127.0.0.2',
        ENTREPOT_STORAGE_ROOT: join(directory, 'storage'),
        ENTREPOT_STORAGE_ACCEL_LOCATION: '/entrepot-objects/',
      },
    });
    nginx = await startNginx(port);
    const admin = { name: 'admin', password: product.adminPassword };
    client = openRegistry(front, admin);
    direct = openRegistry(product.url, admin);
    await client.send({ method: 'POST', path: `/v2/admin/files/blobs/uploads/?digest=${DIGEST}`, body: BYTES });
  });

  afterAll(async () => {
    client.close();
    direct.close();
    nginx.kill();
    await product.remove();
    await rm(directory, { recursive: true, force: true });
  });

  /** nginx as a proxy that connects from 127.0.0.2, so that Entrepot can tell it from everybody else here. */
  async function startNginx(port: number): Promise<ChildProcess> {
    const snippet = await readFile(SNIPPET, 'utf8');
    await writeFile(join(directory, 'accel.conf'), snippet.replace('/srv/entrepot/', `${directory}/storage/`));
    const configuration = `
      user root;
      pid ${directory}/nginx.pid;
      error_log ${directory}/error.log;
      events {}
      http {
        access_log off;
        client_body_temp_path ${directory}/body;
        proxy_temp_path ${directory}/proxy;
        fastcgi_temp_path ${directory}/fastcgi;
        uwsgi_temp_path ${directory}/uwsgi;
        scgi_temp_path ${directory}/scgi;
        server {
          listen 127.0.0.1:${port};
          client_max_body_size 0;
          include ${directory}/accel.conf;
          location / {
            proxy_pass ${product.url};
            proxy_bind 127.0.0.2;
            proxy_http_version 1.1;
            proxy_set_header Host $http_host;
            proxy_set_header X-Forwarded-For $remote_addr;
          }
        }
      }`;
    await writeFile(join(directory, 'nginx.conf'), configuration);
    const args = ['-c', join(directory, 'nginx.conf'), '-e', join(directory, 'error.log'), '-g', 'daemon off;'];
    const child = spawn(NGINX, args, { stdio: 'inherit' });
    for (let answer; answer?.ok !== true; await delay(20)) {
      if (child.exitCode !== null) throw new Error('nginx ended');
      answer = await fetch(`${front}/livez`).catch(() => undefined);
    }
    return child;
  }

  const get = (headers: Record<string, string> = {}, path = BLOB) => client.send({ method: 'GET', path, headers });

  async function objectPath(): Promise<string> {
    const names = await readdir(join(directory, 'storage', 'objects'), { recursive: true });
    const name = names.find((each) => /\/[0-9a-f]{32}$/.test(each)) ?? '';
    return join('objects', name);
  }

  it('a blob is whole, with the headers that Entrepot itself gives it', async () => {
    const [sent, own] = [await get(), await direct.send({ method: 'GET', path: BLOB })];
    expect(sent.status).toBe(200);
    expect(sent.body.equals(BYTES)).toBe(true);
    expect(sent.headers['server']).toMatch(/^nginx/);
    const changing = new Set(['date', 'connection', 'keep-alive', 'x-request-id', 'server']);
    const lasting = (headers: object) =>
      Object.fromEntries(Object.entries(headers).filter(([name]) => !changing.has(name)));
    expect(lasting(sent.headers)).toEqual(lasting(own.headers));
    expect(sent.headers['x-request-id']).toMatch(/./);
  });

  it('a client that comes past nginx gets bytes and no path', async () => {
    const { status, headers, body } = await direct.send({ method: 'GET', path: BLOB });
    expect(status).toBe(200);
    expect(headers['x-accel-redirect']).toBeUndefined();
    expect(body.equals(BYTES)).toBe(true);
  });

  it.each([
    ['bytes=0-0', 0, 0],
    ['bytes=500-1499', 500, 1499],
    ['bytes=2999000-', 2_999_000, 3_000_000],
    ['bytes=-500', 2_999_501, 3_000_000],
    ['bytes=2999000-9999999', 2_999_000, 3_000_000],
  ])('a range is that range: %s', async (range, start, end) => {
    const { status, headers, body } = await get({ Range: range });
    expect(status).toBe(206);
    expect(headers['content-range']).toBe(`bytes ${start}-${end}/${BYTES.length}`);
    expect(headers['docker-content-digest']).toBe(DIGEST);
    expect(body.equals(BYTES.subarray(start, end + 1))).toBe(true);
  });

  it('what is no range of the blob is refused as ever', async () => {
    for (const range of ['bytes=500-0', 'bytes=3000001-', 'bytes=x']) {
      const { status, headers } = await get({ Range: range });
      expect(status).toBe(416);
      expect(headers['content-range']).toBe(`bytes */${BYTES.length}`);
    }
  });

  it('several ranges, and one for another version, are answered whole', async () => {
    for (const headers of [{ Range: 'bytes=0-1,5-6' }, { Range: 'bytes=0-1', 'If-Range': '"another"' }]) {
      const { status, body } = await get(headers as Record<string, string>);
      expect(status).toBe(200);
      expect(body).toHaveLength(BYTES.length);
    }
  });

  it('what the client has is not sent again, and HEAD sends nothing', async () => {
    expect((await get({ 'If-None-Match': `"${DIGEST}"` })).status).toBe(304);
    const head = await client.send({ method: 'HEAD', path: BLOB });
    expect(head.status).toBe(200);
    expect(head.headers['content-length']).toBe(String(BYTES.length));
    expect(head.body).toHaveLength(0);
  });

  it('the location is closed to clients', async () => {
    const path = await objectPath();
    for (const attempt of ['/entrepot-objects/', '/v2/../entrepot-objects/', '/%65ntrepot-objects/']) {
      const answer = await fetch(`${front}${attempt}${path}`, { headers: { 'X-Accel-Redirect': attempt } });
      expect(answer.status).toBe(404);
      expect((await answer.arrayBuffer()).byteLength).toBeLessThan(1000);
    }
  });

  it('who may not pull gets no bytes', async () => {
    expect((await fetch(`${front}${BLOB}`)).status).toBe(401);
  });

  it('a file that is short is 503 once, and then not held any more, so that it is pushed again', async () => {
    await truncate(join(directory, 'storage', await objectPath()), 100);
    const short = await get();
    expect(short.status).toBe(503);
    expect(short.headers['retry-after']).toBe('1');
    expect(JSON.parse(String(short.body))).toMatchObject({ errors: [{ code: 'UNAVAILABLE' }] });
    const again = await get();
    expect(again.status).toBe(404);
    expect(JSON.parse(String(again.body))).toMatchObject({ errors: [{ code: 'BLOB_UNKNOWN' }] });
  });
});
