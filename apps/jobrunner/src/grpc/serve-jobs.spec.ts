import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fromTimestamp, openJobsClient, type JobsClient } from '@entrepot/contracts';
import { createPool, migrate, PostgresJobClaims, PostgresJobRecords, type DatabasePool } from '@entrepot/metadata';
import { createLogger } from '@entrepot/runtime';
import { makeSelfSigned, type SelfSigned } from '@entrepot/runtime/http/self-signed.suite';
import { findFreePort } from '@entrepot/testkit/entrepot';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { Client, credentials, status } from '@grpc/grpc-js';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { JobsDesk } from './jobs.controller.js';
import { serveJobs, type ServedJobs } from './serve-jobs.js';
import { toJobMessage } from './to-message.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const server = makeSelfSigned('jobrunner');
const api = makeSelfSigned('api');
const logger = createLogger({ level: 'silent', format: 'json' }, { service: 'test' });

let directory: string;
let pool: DatabasePool;
let records: PostgresJobRecords;
let claims: PostgresJobClaims;
let served: ServedJobs | undefined;
let port: number;
let rings = 0;
const clients: JobsClient[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrepot-grpc-'));
  const limits = { poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: database.url, role: 'jobrunner', ...limits });
  records = new PostgresJobRecords(pool);
  claims = new PostgresJobClaims(pool);
  await claims.declare([{ kind: 'review', schedule: '@every 1h', retries: 3 }]);
  await writeFile(join(directory, 'server.pem'), server.certificate);
  await writeFile(join(directory, 'server.key'), server.key);
  await writeFile(join(directory, 'clients.pem'), api.certificate);
  port = await findFreePort();
  served = await serveJobs(settings(), new JobsDesk(records, () => (rings += 1)), logger);
});

afterAll(async () => {
  await served?.close();
  await pool.end();
  await rm(directory, { recursive: true, force: true });
});

afterEach(() => {
  for (const client of clients.splice(0)) client.close();
});

function settings() {
  return {
    host: '127.0.0.1',
    port,
    certificate: join(directory, 'server.pem'),
    key: join(directory, 'server.key'),
    clientCa: join(directory, 'clients.pem'),
    reload: 100,
  };
}

/** A client that is known by `identity` and trusts `authority`. */
function connect(identity: SelfSigned = api, authority: SelfSigned = server): JobsClient {
  const client = openJobsClient({
    address: `localhost:${port}`,
    authorities: Buffer.from(authority.certificate),
    certificate: Buffer.from(identity.certificate),
    key: Buffer.from(identity.key),
    timeoutMs: 5_000,
  });
  clients.push(client);
  return client;
}

const raw = (bytes: Buffer) => bytes;

/** Asks for the workers without a certificate of its own. */
function askAsNobody(): Promise<unknown> {
  const client = new Client(`localhost:${port}`, credentials.createSsl(Buffer.from(server.certificate)));
  const asked = new Promise((resolve, reject) => {
    const path = '/entrepot.jobs.v1.Jobs/ListWorkers';
    client.makeUnaryRequest(path, raw, raw, Buffer.alloc(0), (error, answer) =>
      error ? reject(error) : resolve(answer),
    );
  });
  return asked.finally(() => client.close());
}

describe('control of jobs over gRPC', () => {
  it('runs, shows, cancels and deletes a job', async () => {
    const client = connect();
    const scheduledAt = { seconds: '4102444800', nanos: 0 };
    const asked = { action: 'scrub', requestedBy: 'api:alice', parameters: { 'dry-run': 'true' }, deadline: '1h' };
    await expect(client.run({ ...asked, parameters: { 'dry-run': '1' } })).rejects.toMatchObject({
      code: status.INVALID_ARGUMENT,
      message: expect.stringContaining('dry-run must be true or false'),
    });
    const { id } = await client.run({ ...asked, retries: 2, scheduledAt });
    expect(rings).toBe(1);
    const job = await client.get(id);
    expect(job).toMatchObject({ id, action: 'scrub', status: 'waiting', requestedBy: 'api:alice', retriesLeft: 2 });
    expect(job).toMatchObject({
      parameters: { 'dry-run': 'true' },
      capacityMap: { scrub: 1 },
      deadline: '1h',
      workerId: '',
    });
    expect(job.scheduledAt && fromTimestamp(job.scheduledAt).toISOString()).toBe('2100-01-01T00:00:00.000Z');
    expect(job.startedAt).toBeNull();
    // The file, the types and what is sent have the same fields.
    const record = await records.find(id);
    expect(record && Object.keys(toJobMessage(record)).toSorted()).toEqual(Object.keys(job).toSorted());
    expect((await client.list({ action: 'scrub', status: 'waiting' })).map((each) => each.id)).toEqual([id]);
    expect(await client.cancel({ id, requestedBy: 'api:alice' })).toMatchObject({ status: 'canceled' });
    await client.delete(id);
    await expect(client.get(id)).rejects.toMatchObject({ code: status.NOT_FOUND });
  });

  it('gives the result, and the log as it grows', async () => {
    const client = connect();
    const { id } = await client.run({ action: 'review', requestedBy: 'api' });
    const claim = await claims.claim('5d3ac0a7-1f0b-4b6f-8f38-6b9a3a5f7f10', ['review'], { review: 1 });
    if (claim === undefined) throw new Error('nothing to claim');
    await claims.append(claim, { first: 1, data: ['one', 'two'] }, 100);
    const lines: string[] = [];
    for await (const { data } of client.log({ id, follow: true })) {
      lines.push(data);
      if (data !== 'two') continue;
      await claims.append(claim, { first: 3, data: ['three'] }, 100);
      await claims.end(claim, { status: 'done', result: { objectsRemoved: 3, complete: true, last: 'sha256:aa' } });
    }
    expect(lines).toEqual(['one', 'two', 'three']);
    const { result } = await client.get(id);
    expect(result).toMatchObject({
      objectsRemoved: { number: 3 },
      complete: { flag: true },
      last: { text: 'sha256:aa' },
    });
  });

  it('shows and sets schedules, and lists workers', async () => {
    const client = connect();
    expect(await client.schedules()).toMatchObject([{ action: 'review', schedule: '@every 1h', source: 'default' }]);
    const changed = await client.setSchedule({ action: 'review', schedule: '0 0 3 * * *', requestedBy: 'api' });
    expect(changed).toMatchObject({ schedule: '0 0 3 * * *', source: 'set', setBy: 'api', default: '@every 1h' });
    const worker = { id: '5d3ac0a7-1f0b-4b6f-8f38-6b9a3a5f7f10', host: 'here', processId: 1, kinds: ['review'] };
    await claims.greet({ ...worker, capacity: { review: 2 } });
    expect(await client.workers()).toMatchObject([{ host: 'here', status: 'running', capacityMap: { review: 2 } }]);
  });

  it('says why it refuses', async () => {
    const client = connect();
    const nothing = '00000000-0000-4000-8000-000000000000';
    const refusals: readonly (readonly [() => Promise<unknown>, status])[] = [
      [() => client.run({ action: 'nonsense', requestedBy: 'api' }), status.INVALID_ARGUMENT],
      [() => client.run({ action: 'review', requestedBy: '' }), status.INVALID_ARGUMENT],
      [() => client.run({ action: 'review', requestedBy: 'api', deadline: 'soon' }), status.INVALID_ARGUMENT],
      [() => client.list({ status: 'nonsense' }), status.INVALID_ARGUMENT],
      [() => client.setSchedule({ action: 'review', schedule: 'daily', requestedBy: 'api' }), status.INVALID_ARGUMENT],
      [() => client.setSchedule({ action: 'nonsense', schedule: '@daily', requestedBy: 'api' }), status.NOT_FOUND],
      [() => client.cancel({ id: 'nonsense', requestedBy: 'api' }), status.NOT_FOUND],
      [() => client.delete(nothing), status.NOT_FOUND],
    ];
    for (const [call, code] of refusals) await expect(call()).rejects.toMatchObject({ code });
  });

  it('is refused to clients without a certificate of the authority', async () => {
    const foreign = makeSelfSigned('foreign');
    await expect(connect(foreign).workers()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(askAsNobody()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    await expect(connect(api, foreign).workers()).rejects.toMatchObject({ code: status.UNAVAILABLE });
    expect(await connect().workers()).toBeDefined();
  });

  it('takes new files into use', async () => {
    const next = makeSelfSigned('next-api');
    await writeFile(join(directory, 'next.pem'), api.certificate + next.certificate);
    await rename(join(directory, 'next.pem'), join(directory, 'clients.pem'));
    const isServed = () =>
      connect(next)
        .workers()
        .then(
          () => true,
          () => false,
        );
    while (!(await isServed())) await delay(50);
    expect(await connect().workers()).toBeDefined();
  });

  it('does not begin with files that cannot be used', async () => {
    const desk = new JobsDesk(records, () => {});
    const lacking = { ...settings(), key: join(directory, 'nothing.key') };
    await expect(serveJobs(lacking, desk, logger)).rejects.toThrow('ENTREPOT_GRPC_CERTIFICATE');
  });
});
