import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdirSync, readlinkSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PasswordHasher, createAccount } from '@entrepot/access';
import { PostgresAccessUnitOfWork, createPool, migrate, withDataSource } from '@entrepot/metadata';
import { createBells, createListener, createLogger, createMetrics, loadConfig } from '@entrepot/runtime';
import type { Listener, RunningService } from '@entrepot/runtime';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registrySections } from './config.js';
import { startRegistry } from './start-registry.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const AUTHORIZATION = `Basic ${Buffer.from('alice:secret').toString('base64')}`;
const OBJECT_BYTES = 8 * 1024 * 1024;

let directory: string;
let listener: Listener;
let service: RunningService;
let origin: string;
let owner: Pool;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrepot-registry-'));
  const settings = { role: 'owner', poolSize: 1, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 } as const;
  const ownerSettings = { url: database.url, ...settings };
  owner = createPool(ownerSettings);
  const config = loadConfig(registrySections, {
    environment: { ENTREPOT_HTTP_PORT: '0', ENTREPOT_HTTP_SECRET: 'qN3vX8zL1mB6cR0yT5wK9eJ2hG7fD4sA' },
  });
  const logger = createLogger({ level: 'error', format: 'json' }, { service: 'registry' });
  const metrics = createMetrics();
  const alone = { redis: undefined, bells: createBells(undefined) };
  service = await startRegistry(config, {
    databaseUrl: database.url,
    dataDirectory: directory,
    logger,
    metrics,
    ...alone,
  });
  listener = createListener({ config: config.http, logger, metrics });
  for (const { prefix, handler, options } of service.mounts) listener.mount(prefix, handler, options);
  ({ origin } = await listener.listen());
  const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 10, nowMs: Date.now });
  await withDataSource(ownerSettings, (source) =>
    createAccount(
      { store: new PostgresAccessUnitOfWork(source), actor: { id: undefined, name: 'spec' }, passwords },
      { name: 'alice', password: 'secret', isAdmin: false },
    ),
  );
});

afterAll(async () => {
  await listener.drain(0);
  await service.close();
  await owner.end();
  await rm(directory, { recursive: true, force: true });
});

const digestOf = (bytes: Uint8Array): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

function send(method: string, path: string, body?: Uint8Array, headers: Record<string, string> = {}) {
  return fetch(new URL(path, origin), {
    method,
    headers: { Authorization: AUTHORIZATION, ...headers },
    ...(body && { body: new Uint8Array(body) }),
  });
}

/** A body of unknown length, as Node sends it: in chunks. */
function sendChunked(method: string, path: string, body: string, headers: Record<string, string>) {
  const stream = new Blob([body]).stream();
  const init = { method, headers: { Authorization: AUTHORIZATION, ...headers }, body: stream, duplex: 'half' };
  return fetch(new URL(path, origin), init as RequestInit);
}

async function openUploads(): Promise<number> {
  return (await owner.query<{ n: number }>('SELECT count(*)::int AS n FROM upload')).rows[0]?.n ?? Number.NaN;
}

async function beginUpload(): Promise<string> {
  return (await send('POST', '/v2/alice/app/blobs/uploads/')).headers.get('location') ?? '';
}

/** Files of the store that this process has open. */
function openObjects(): string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const path = readlinkSync(`/proc/self/fd/${fd}`);
      return path.startsWith(directory) ? [path] : [];
    } catch {
      return [];
    }
  });
}

describe('a blob', () => {
  it('that a pipelining client asked for and did not wait for is let go of', async () => {
    const bytes = randomBytes(OBJECT_BYTES);
    const digest = digestOf(bytes);
    expect((await send('POST', `/v2/alice/app/blobs/uploads/?digest=${digest}`, bytes)).status).toBe(201);
    const socket = connect(Number(new URL(origin).port), '127.0.0.1');
    const get = `GET /v2/alice/app/blobs/${digest} HTTP/1.1\r\nHost: x\r\nAuthorization: ${AUTHORIZATION}\r\n\r\n`;
    socket.write(get.repeat(3));
    await once(socket, 'data');
    socket.pause();
    await expect.poll(openObjects).toHaveLength(3);
    socket.destroy();
    await expect.poll(openObjects).toEqual([]);
  });

  it('that was refused whole leaves no upload behind', async () => {
    const before = await openUploads();
    const path = `/v2/alice/app/blobs/uploads/?digest=${digestOf(Buffer.from('right'))}`;
    expect((await send('POST', path, Buffer.from('wrong'))).status).toBe(400);
    expect(await openUploads()).toBe(before);
  });
});

describe('a chunk of unstated length', () => {
  it.each(['0-4', '0-19'])(
    'with other than the bytes of its Content-Range (%s) is 416 and changes nothing',
    async (range) => {
      const location = await beginUpload();
      const refused = await sendChunked('PATCH', location, '0123456789', { 'Content-Range': range });
      expect(refused.status).toBe(416);
      expect(refused.headers.get('range')).toBe('0-0');
      const taken = await sendChunked('PATCH', refused.headers.get('location') ?? '', '0123456789', {
        'Content-Range': '0-9',
      });
      expect(taken.status).toBe(202);
      expect(taken.headers.get('range')).toBe('0-9');
      const digest = digestOf(Buffer.from('0123456789'));
      expect((await send('PUT', `${taken.headers.get('location')}&digest=${digest}`)).status).toBe(201);
    },
  );

  it('is 416 as the last one, too, and the upload goes on from where it stood', async () => {
    const location = await beginUpload();
    const digest = digestOf(Buffer.from('0123456789'));
    const headers = { 'Content-Range': '0-9' };
    const refused = await sendChunked('PUT', `${location}&digest=${digest}`, '01234', headers);
    expect(refused.status).toBe(416);
    const finished = await sendChunked('PUT', `${location}&digest=${digest}`, '0123456789', headers);
    expect(finished.status).toBe(201);
  });
});
