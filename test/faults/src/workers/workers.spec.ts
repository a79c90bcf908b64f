import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { Agent, get, request, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@entrepot/embedded-postgres';
import { runEntrepot, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf, digestOf, type Content } from '@entrepot/testkit/images';
import { signalProcess } from '@entrepot/testkit/processes';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { withDigest } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { connect, type Target } from '../world/target.js';
import { readBytes, workerOfConnection, workersOf } from './worker-processes.js';

const SERVE = ['sh', 'apps/cli/bin/entrepot', 'serve'];
const SOON = { timeout: 120_000, interval: 100 };
const PULLED_BYTES = 48 * 2 ** 20;
const FORCED_BY_SECOND_SIGNAL = 130;
const STORE_UNAVAILABLE = 69;
/** A second signal within a second is taken for an echo of the first. */
const ECHO_MS = 1_100;

let directory: string;
let postgres: EmbeddedPostgres;
let issuer: Entrepot;
let settings: Record<string, string>;
const adminPassword = randomBytes(18).toString('base64url');

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrepot-workers-'));
  await chmod(directory, 0o711);
  postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  settings = {
    ENTREPOT_DATABASE_URL: postgres.url,
    ENTREPOT_STORAGE_ROOT: join(directory, 'storage'),
    ENTREPOT_HTTP_SECRET: randomBytes(32).toString('base64url'),
    ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url'),
    ENTREPOT_ADMIN_PASSWORD: adminPassword,
  };
  await runEntrepot(['migrate'], settings);
  issuer = await startEntrepot({ command: [...SERVE, 'auth'], settings });
});

afterAll(async () => {
  await issuer?.remove();
  await postgres?.stop();
  await rm(directory, { recursive: true, force: true });
});

async function serveRegistry(workers: number, more: Record<string, string> = {}): Promise<Entrepot> {
  const command = [...SERVE, 'registry'];
  const service = await startEntrepot({
    command,
    settings: { ...settings, ENTREPOT_HTTP_WORKERS: String(workers), ...more },
  });
  onTestFinished(() => service.remove());
  await vi.waitFor(() => expect(service.output()).toContain('"msg":"ready"'), SOON);
  expect(workersOf(service)).toHaveLength(workers);
  return service;
}

function targetOf({ url }: Entrepot): Target {
  return { url, tokenUrl: issuer.url, adminPassword };
}

async function pushBlob(service: Entrepot, content: Content): Promise<string> {
  const client = connect(targetOf(service));
  const opened = await client.send({ method: 'POST', path: '/v2/admin/workers/blobs/uploads/' });
  const path = withDigest(opened.headers.location ?? '', content.digest);
  expect((await client.send({ method: 'PUT', path, body: content.bytes })).status).toBe(201);
  client.close();
  return `/v2/admin/workers/blobs/${content.digest}`;
}

/** A pull that was begun and is not read on until told. */
async function beginPull(service: Entrepot, path: string): Promise<{ worker: number; finish(): Promise<Buffer> }> {
  const client = connect(targetOf(service));
  const token = await client.token(['repository:admin/workers:pull']);
  const outgoing = get(service.url + path, { agent: false, headers: { Authorization: `Bearer ${token}` } });
  const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
  answer.pause();
  return { worker: workerOfConnection(service, answer.socket.localPort ?? 0), finish: () => buffer(answer) };
}

/** Asks again and again, on kept connections and on new ones; counts what went wrong. */
function startAsking(service: Entrepot): { stop(): Promise<{ asked: number; failures: string[] }> } {
  const result = { asked: 0, failures: [] as string[] };
  const stopping = new AbortController();
  const askOnAndOn = async (agent: Agent) => {
    for (; !stopping.signal.aborted; result.asked += 1) {
      await ask(`${service.url}/v2/`, agent).catch((error: unknown) => result.failures.push(String(error)));
    }
    agent.destroy();
  };
  const agents = Array.from({ length: 8 }, (_, index) => new Agent({ keepAlive: index % 2 === 0 }));
  const asking = Promise.all(agents.map(askOnAndOn));
  return {
    stop: async () => {
      stopping.abort();
      await asking;
      return result;
    },
  };
}

/** Resolves once the challenge to an anonymous client has come. */
async function ask(url: string, agent: Agent): Promise<void> {
  const [answer] = (await once(get(url, { agent }), 'response')) as [IncomingMessage];
  await buffer(answer);
  if (answer.statusCode !== 401) throw new Error(`status ${answer.statusCode}`);
}

async function metricOf(service: Entrepot, name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${service.opsPort}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith(name));
  return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
}

async function isReady({ url }: Entrepot): Promise<boolean> {
  return (await fetch(`${url}/readyz`, { headers: { Connection: 'close' } })).ok;
}

describe('a worker that is killed', () => {
  it('takes no connection of another one with it, and is replaced', async () => {
    const service = await serveRegistry(3);
    const content = contentOf('application/octet-stream', randomBytes(PULLED_BYTES));
    const pull = await beginPull(service, await pushBlob(service, content));
    const others = workersOf(service).filter((pid) => pid !== pull.worker);
    for (const pid of others) signalProcess(pid, 'SIGKILL');
    expect(digestOf(await pull.finish())).toBe(content.digest);
    await vi.waitFor(async () => expect(await metricOf(service, 'workers_ready ')).toBe(3), SOON);
    expect(workersOf(service)).toContain(pull.worker);
    expect(workersOf(service).filter((pid) => others.includes(pid))).toEqual([]);
    expect(await metricOf(service, 'worker_failures_total')).toBe(2);
    expect(await isReady(service)).toBe(true);
    expect(await service.stop()).toBe(0);
  });

  it('leaves what it counted behind', async () => {
    const service = await serveRegistry(2);
    const requests = 'http_requests_total{service="registry",route="base"';
    const agent = new Agent();
    for (let count = 0; count < 20; count += 1) await ask(`${service.url}/v2/`, agent);
    await vi.waitFor(async () => expect(await metricOf(service, requests)).toBe(20), SOON);
    expect(await metricOf(service, 'pool_connections{pool="registry",state="total"')).toBeGreaterThan(1);
    signalProcess(workersOf(service)[0] ?? Number.NaN, 'SIGKILL');
    await vi.waitFor(async () => expect(await metricOf(service, 'workers_ready ')).toBe(2), SOON);
    await ask(`${service.url}/v2/`, agent);
    await vi.waitFor(async () => expect(await metricOf(service, requests)).toBe(21), SOON);
  });
});

describe('workers that cannot be replaced', () => {
  it('are tried again while another one works, and end the service with the last one', async () => {
    const root = join(directory, 'lost-storage');
    const service = await serveRegistry(2, { ENTREPOT_STORAGE_ROOT: root });
    await rename(root, `${root}-elsewhere`);
    await writeFile(root, 'no directory');
    const [first = 0, last = 0] = workersOf(service);
    signalProcess(first, 'SIGKILL');
    await vi.waitFor(() => expect(service.output()).toMatch(/"reason":"[^"]+","delayMs":[1-9]/), SOON);
    expect(await isReady(service)).toBe(true);
    signalProcess(last, 'SIGKILL');
    await vi.waitFor(() => expect(service.processes()).toEqual([]), SOON);
    expect(await service.stop()).toBe(STORE_UNAVAILABLE);
    expect(service.output()).toMatch(/\nentrepot: .*\n$/);
  });
});

describe('a clean restart', () => {
  it('replaces every worker, and no request fails', async () => {
    const service = await serveRegistry(2);
    const former = workersOf(service);
    const journal = new Journal();
    const pushers = startPushers(targetOf(service), journal);
    const asking = startAsking(service);
    const content = contentOf('application/octet-stream', randomBytes(PULLED_BYTES));
    const pull = await beginPull(service, await pushBlob(service, content));
    signalProcess(service.pid, 'SIGUSR2');
    await delay(1_000);
    expect(digestOf(await pull.finish())).toBe(content.digest);
    await vi.waitFor(() => expect(service.output()).toContain('all workers were replaced'), SOON);
    const { asked, failures } = await asking.stop();
    await pushers.stop();

    expect(failures).toEqual([]);
    expect(asked).toBeGreaterThan(100);
    expect(journal.surprises).toEqual([]);
    expect(journal.unavailableCount).toBe(0);
    expect(journal.losses).toEqual([]);
    expect(await checkJournal(targetOf(service), journal)).toEqual([]);
    const workers = workersOf(service);
    expect(workers).toHaveLength(2);
    expect(workers.filter((pid) => former.includes(pid))).toEqual([]);
    expect(await metricOf(service, 'worker_failures_total')).toBe(0);
  });
});

describe('readiness', () => {
  it('asks for half of the workers', async () => {
    const service = await serveRegistry(3);
    const [first = 0, second = 0] = workersOf(service);
    for (const pid of [first, second]) signalProcess(pid, 'SIGSTOP');
    await vi.waitFor(async () => expect(await isReady(service)).toBe(false), SOON);
    const health = await fetch(`http://127.0.0.1:${service.opsPort}/health`);
    expect(health.status).toBe(503);
    expect(await health.json()).toMatchObject({
      ok: false,
      dependencies: [
        { name: 'database', ok: true },
        { name: 'storage', ok: true },
        { name: 'workers', ok: false, error: '1 of 3 workers are ready' },
      ],
    });
    signalProcess(first, 'SIGCONT');
    await vi.waitFor(async () => expect(await isReady(service)).toBe(true), SOON);
    // It hangs for too long, and is ended.
    await vi.waitFor(() => expect(workersOf(service)).not.toContain(second), SOON);
    await vi.waitFor(async () => expect(await metricOf(service, 'workers_ready ')).toBe(3), SOON);
  });
});

describe('the start', () => {
  it('ends with the message and the code of a worker that cannot start', async () => {
    const refused = serveRegistry(2, { ENTREPOT_STORAGE_ROOT: '/dev/null/storage' });
    await expect(refused).rejects.toThrow(`entrepot ended with ${STORE_UNAVAILABLE}:\nentrepot: `);
    await expect(refused).rejects.not.toThrow(/entrepot: [^]*entrepot: /);
  });
});

describe('the end', () => {
  it('comes at once with a second signal, and leaves no worker behind', async () => {
    const service = await serveRegistry(2);
    const content = contentOf('application/octet-stream', randomBytes(PULLED_BYTES));
    const pull = await beginPull(service, await pushBlob(service, content));
    signalProcess(service.pid, 'SIGTERM');
    await delay(ECHO_MS);
    expect(workersOf(service)).toContain(pull.worker);
    expect(await service.stop()).toBe(FORCED_BY_SECOND_SIGNAL);
    expect(service.processes()).toEqual([]);
  });

  it('comes to the workers with the death of their primary', async () => {
    const service = await serveRegistry(2);
    signalProcess(service.pid, 'SIGKILL');
    await vi.waitFor(() => expect(service.processes()).toEqual([]), SOON);
  });
});

describe('an upload whose requests meet different workers', () => {
  it('is finished without reading its bytes again', async () => {
    const service = await serveRegistry(2);
    const content = contentOf('application/octet-stream', randomBytes(PULLED_BYTES));
    const one = await openConnection(service);
    const another = await openConnectionBeside(service, one.worker);
    const opened = await one.send('POST', '/v2/admin/workers/blobs/uploads/');
    const patched = await one.send('PATCH', opened.headers.location ?? '', content.bytes);
    expect(patched.statusCode).toBe(202);
    const readBefore = readBytes(another.worker);
    const finished = await another.send('PUT', withDigest(patched.headers.location ?? '', content.digest));
    expect(finished.statusCode).toBe(201);
    expect(readBytes(another.worker) - readBefore).toBeLessThan(PULLED_BYTES / 4);
  });
});

interface Connection {
  readonly worker: number;
  send(method: string, path: string, body?: Uint8Array): Promise<IncomingMessage>;
}

/** One connection that is kept, and the worker that has it. */
async function openConnection(service: Entrepot): Promise<Connection> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  onTestFinished(() => agent.destroy());
  const token = await connect(targetOf(service)).token(['repository:admin/workers:pull,push']);
  const send = async (method: string, path: string, body: Uint8Array = new Uint8Array()) => {
    const headers = { Authorization: `Bearer ${token}`, 'Content-Length': body.length };
    const outgoing = request(new URL(path, service.url), { method, agent, headers }).end(body);
    const [answer] = (await once(outgoing, 'response')) as [IncomingMessage];
    ({ localPort = 0 } = answer.socket);
    await buffer(answer);
    return answer;
  };
  let localPort = 0;
  await send('GET', '/v2/');
  return { worker: workerOfConnection(service, localPort), send };
}

async function openConnectionBeside(service: Entrepot, worker: number): Promise<Connection> {
  const connection = await openConnection(service);
  return connection.worker === worker ? openConnectionBeside(service, worker) : connection;
}
