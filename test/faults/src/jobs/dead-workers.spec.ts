import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, chmod } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@entrepot/embedded-postgres';
import { createPool, migrate, PostgresJobRecords, type DatabasePool } from '@entrepot/metadata';
import { endChild } from '@entrepot/testkit/processes';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../world/process-state.js';

const WORKER = new URL('run-worker.ts', import.meta.url).pathname;
const STEPS = 40;

let directory: string;
let postgres: EmbeddedPostgres;
let pool: DatabasePool;
let records: PostgresJobRecords;
const workers: ChildProcess[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'entrepot-workers-'));
  await chmod(directory, 0o711);
  postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
  await migrate(postgres.url);
  const limits = { poolSize: 2, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: postgres.url, role: 'owner', ...limits });
  records = new PostgresJobRecords(pool);
  await pool.query('CREATE TABLE step (job_id uuid, step integer, process_id integer)');
});

afterAll(async () => {
  await pool.end();
  await postgres.stop();
  await rm(directory, { recursive: true, force: true });
});

const alive = async () => (await records.workers()).filter(({ status }) => status === 'running').length;

/** Starts a worker, and resolves once it lives. */
async function addWorker(): Promise<void> {
  workers.push(spawn(process.execPath, [WORKER, postgres.url]));
  await until(async () => (await alive()) === workers.length, 'the worker to live');
}

beforeEach(addWorker);

afterEach(async () => {
  for (const worker of workers.splice(0)) {
    worker.kill('SIGCONT');
    await endChild(worker, 15_000);
  }
  await pool.query('TRUNCATE worker');
});

const stepsOf = async (id: string, processId?: number) => {
  const { rows } = await pool.query<{ step: number }>(
    'SELECT step FROM step WHERE job_id = $1 AND ($2::int IS NULL OR process_id = $2) ORDER BY step',
    [id, processId ?? null],
  );
  return rows.map(({ step }) => step);
};
const linesOf = async (id: string) => (await records.lines(id, 0, 100)).map(({ data }) => data);
const isOver = async (id: string) => (await records.find(id))?.finishedAt !== undefined;

/** Starts a job with the first worker, and resolves once it is under way and a second worker lives. */
async function startJob(kind: string) {
  const { id } = await records.add({ kind, requestedBy: 'test' });
  await until(async () => (await stepsOf(id)).length >= 3, 'the job to get on');
  const [worker] = workers;
  if (worker?.pid === undefined) throw new Error('there is no worker');
  if (workers.length === 1) await addWorker();
  return { id, worker, pid: worker.pid };
}

/** Resolves once another process than `pid` has done a step; `until` has the 30 s that are promised for that. */
const untilTakenOver = (id: string, pid: number) =>
  until(async () => (await stepsOf(id)).length > (await stepsOf(id, pid)).length, 'another one to go on');

describe('a worker', () => {
  it('that is killed loses its job to another one, which ends it, or nobody does where it must not run twice', async () => {
    const once = await records.add({ kind: 'once', requestedBy: 'test' });
    const { id, worker, pid } = await startJob('steps');
    worker.kill('SIGKILL');
    await untilTakenOver(id, pid);
    await until(() => isOver(id), 'the job to end');
    expect(await records.find(id)).toMatchObject({ status: 'done', result: { steps: STEPS }, error: undefined });
    const done = await stepsOf(id);
    expect(new Set(done).size).toBe(done.length);
    // One may have been noted and not done when its worker was killed.
    expect(done.length).toBeGreaterThanOrEqual(STEPS - 1);
    expect(await linesOf(id)).toContainEqual(expect.stringMatching(/^worker_dead: .*another one goes on/));
    const reason = expect.stringContaining('must not run twice');
    const dead = await records.list({ isDead: true, limit: 10 });
    expect(dead).toMatchObject([{ id: once.id, status: 'errored', error: reason }]);
    expect((await stepsOf(once.id)).length).toBeLessThan(STEPS);
  });

  it('that was stopped and comes back does nothing twice', async () => {
    const { id, worker, pid } = await startJob('steps');
    worker.kill('SIGSTOP');
    await untilTakenOver(id, pid);
    worker.kill('SIGCONT');
    await until(() => isOver(id), 'the job to end');
    expect(await records.find(id)).toMatchObject({ status: 'done', result: { steps: STEPS } });
    const done = await stepsOf(id);
    expect(new Set(done).size).toBe(done.length);
    expect(done).toEqual(Array.from({ length: STEPS }, (_, index) => index + 1));
    await until(async () => (await records.workers()).every(({ status }) => status === 'running'), 'both to live');
  });

  it('that is asked to stop gives its job back at once', async () => {
    const { id, worker, pid } = await startJob('steps');
    await endChild(worker, 15_000);
    expect(worker.signalCode).toBeNull();
    expect(await linesOf(id)).toContainEqual(expect.stringMatching(/^worker_shutdown: /));
    await until(() => isOver(id), 'the job to end');
    expect(await stepsOf(id)).toEqual(Array.from({ length: STEPS }, (_, index) => index + 1));
    expect((await stepsOf(id, pid)).length).toBeLessThan(STEPS);
  });

  it('ends a job that is canceled at its next safe point', async () => {
    const { id } = await startJob('steps');
    await records.cancel(id, 'test');
    await until(() => isOver(id), 'the job to end');
    const { result, ...job } = (await records.find(id)) ?? { result: undefined };
    expect(job).toMatchObject({ status: 'canceled', error: 'canceled by test' });
    expect(result?.['steps']).toBe((await stepsOf(id)).length);
  });
});
