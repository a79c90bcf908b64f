import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import type { Job, JobKind, JobResult, JobRun, JobsConfig, NewJob } from '@entrepot/jobs';
import { createPool, migrate, PostgresJobClaims, PostgresJobRecords, type DatabasePool } from '@entrepot/metadata';
import { createLogger } from '@entrepot/runtime';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { JobRunner } from './job-runner.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const config: JobsConfig = {
  concurrency: 4,
  capacity: {},
  retries: 3,
  retryDelay: 0,
  keep: 100,
  keepAge: 3_600_000,
  logLines: 3,
};

let pool: DatabasePool;
let records: PostgresJobRecords;
let claims: PostgresJobClaims;
let outcomes: string[];
const runners: JobRunner[] = [];

beforeAll(() => {
  const limits = { poolSize: 8, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: database.url, role: 'jobrunner', ...limits });
  records = new PostgresJobRecords(pool);
  claims = new PostgresJobClaims(pool);
});

afterAll(() => pool.end());

beforeEach(async () => {
  outcomes = [];
  await pool.query('DELETE FROM job_log; DELETE FROM job; DELETE FROM schedule; DELETE FROM worker');
});

afterEach(async () => {
  await Promise.all(runners.splice(0).map((runner) => runner.stop()));
});

function kindOf(run: (job: JobRun) => Promise<JobResult>, mayRunTwice = true): JobKind {
  return { name: 'test', mayRunTwice, run };
}

function startRunner(kind: JobKind, settings: Partial<JobsConfig> = {}): JobRunner {
  const runner = new JobRunner({
    worker: {
      id: randomUUID(),
      host: 'here',
      processId: process.pid,
      kinds: [kind.name],
      capacity: { [kind.name]: 2 },
    },
    kinds: [kind],
    claims,
    config: { ...config, ...settings },
    logger: createLogger({ level: 'silent', format: 'json' }, { service: 'test' }),
    onEnd: (_kind, outcome) => outcomes.push(outcome),
  });
  runners.push(runner);
  runner.start();
  return runner;
}

const add = (more: Partial<NewJob> = {}) => records.add({ kind: 'test', requestedBy: 'test', ...more });

async function until<T>(ask: () => Promise<T | undefined | false>): Promise<T> {
  for (;;) {
    const found = await ask();
    if (found !== undefined && found !== false) return found;
    await delay(20);
  }
}

const ended = (id: string): Promise<Job> =>
  until(async () => {
    const job = await records.find(id);
    return job?.finishedAt !== undefined && job;
  });

describe('a runner of jobs', () => {
  it('runs a job, and keeps its progress, its last lines and what it did', async () => {
    startRunner(
      kindOf(async ({ parameters, log, note }) => {
        for (const line of ['one', 'two', 'three', 'fo\0ur']) log(line);
        await note({ done: 1, total: 2, unit: 'steps', state: { step: 1 } });
        return { objects: Number(parameters['count']), complete: true };
      }),
    );
    const { id } = await add({ parameters: { count: '7' } });
    const job = await ended(id);
    expect(job).toMatchObject({ status: 'done', result: { objects: 7, complete: true }, error: undefined });
    expect(job.progress).toEqual({ done: 1, total: 2, unit: 'steps' });
    const lines = (await records.lines(id, 0, 10)).map(({ data }) => data);
    expect(lines).toEqual(['three', 'fo\u{fffd}ur', 'ended: done: {"objects":7,"complete":true}']);
  });

  it('leaves no record of a scheduled run that did nothing, and one of a run that did', async () => {
    let objects = 0;
    startRunner(kindOf(async () => ({ objects, all: true })));
    await claims.declare([{ kind: 'test', schedule: '@every 100ms', retries: 0 }]);
    await until(async () => outcomes.length >= 2);
    objects = 1;
    const [job] = await until(async () => {
      const found = await records.list({ status: 'done', limit: 10 });
      return found.length > 0 && found;
    });
    expect(job).toMatchObject({ requestedBy: 'schedule', result: { objects: 1, all: true } });
  });

  it('tries a job again that failed, until it is done', async () => {
    let failures = 0;
    startRunner(
      kindOf(async () => {
        failures += 1;
        if (failures < 3) throw new Error(`failure ${failures}`);
        return { failures };
      }),
    );
    const { id } = await add({ retries: 3 });
    expect(await ended(id)).toMatchObject({ status: 'errored', error: 'failure 1', isDead: false });
    const last = await until(async () => (await records.list({ status: 'done', limit: 1 }))[0]);
    expect(last).toMatchObject({ retriesLeft: 1, retriesTotal: 3, result: { failures: 3 } });
    expect(await records.list({ isDead: true, limit: 10 })).toEqual([]);
  });

  it('does not run what it does not understand, nor tries it again', async () => {
    let runs = 0;
    const run = async () => ({ runs: (runs += 1) });
    startRunner({ name: 'review', mayRunTwice: true, run });
    const job = { kind: 'review', requestedBy: 'cli:root', retries: 3 };
    const { id } = await records.add({ ...job, parameters: { 'dry-run': 'yes' } });
    const error = "the parameter dry-run must be true or false, not 'yes'";
    expect(await ended(id)).toMatchObject({ status: 'errored', error, isDead: true });
    expect(runs).toBe(0);
    const dry = await records.add({ ...job, parameters: { 'dry-run': 'true' } });
    expect(await ended(dry.id)).toMatchObject({ status: 'done' });
  });

  it('does not try again what must not run twice', async () => {
    startRunner(
      kindOf(async () => {
        throw new Error('no');
      }, false),
    );
    const { id } = await add({ retries: 3 });
    expect(await ended(id)).toMatchObject({ status: 'errored', error: 'no', isDead: true, retriesLeft: 3 });
    expect(await records.list({ limit: 10 })).toHaveLength(1);
  });

  it('ends a job at its deadline, with the reason', async () => {
    startRunner(
      kindOf(async ({ signal, parameters }) => {
        await once(signal, 'abort');
        if (parameters['throws']) signal.throwIfAborted();
        return { steps: 3 };
      }),
    );
    const reason = { status: 'errored', error: 'its deadline of 100ms has passed', isDead: true };
    const [quiet, throwing] = [
      await add({ deadlineMs: 100 }),
      await add({ deadlineMs: 100, parameters: { throws: 'yes' } }),
    ];
    expect(await ended(quiet.id)).toMatchObject({ ...reason, result: { steps: 3 } });
    expect(await ended(throwing.id)).toMatchObject({ ...reason, result: undefined });
  });

  it('cancels a job at a safe point, and gives up one that has none', async () => {
    const finish = Promise.withResolvers<JobResult>();
    startRunner(
      kindOf(({ signal, parameters }) =>
        parameters['deaf'] ? finish.promise : once(signal, 'abort').then(() => ({ steps: 1 })),
      ),
    );
    const [willing, deaf] = [await add(), await add({ parameters: { deaf: 'yes' }, stopTimeoutMs: 100 })];
    await until(async () => (await records.list({ status: 'running', limit: 10 })).length === 2);
    await records.cancel(willing.id, 'cli:root');
    await records.cancel(deaf.id, 'cli:root');
    expect(await ended(willing.id)).toMatchObject({
      status: 'canceled',
      result: { steps: 1 },
      error: 'canceled by cli:root',
    });
    expect(await ended(deaf.id)).toMatchObject({ status: 'canceled', result: undefined });
    finish.resolve({});
  });

  it('takes no more of a kind than it has room for', async () => {
    const finish = Promise.withResolvers<JobResult>();
    const runner = startRunner(kindOf(() => finish.promise));
    await Promise.all([add(), add(), add()]);
    await until(async () => runner.runningJobs === 2);
    runner.wake();
    await delay(200);
    expect(await records.list({ status: 'waiting', limit: 10 })).toHaveLength(1);
    finish.resolve({ done: 1 });
    await until(async () => outcomes.length === 3);
  });

  it('gives back what it runs when it stops, with what was noted', async () => {
    const states: unknown[] = [];
    const kind = kindOf(async ({ state, note, signal }) => {
      states.push(state);
      if (state !== undefined) return { steps: 2 };
      await note({ done: 1, unit: 'steps', state: { step: 1 } });
      await once(signal, 'abort');
      return { steps: 1 };
    });
    const first = startRunner(kind);
    const { id } = await add();
    await until(async () => (await records.find(id))?.progress);
    await first.stop();
    expect(await records.find(id)).toMatchObject({ status: 'waiting', finishedAt: undefined });
    expect(await records.workers()).toEqual([]);
    startRunner(kind);
    expect(await ended(id)).toMatchObject({ status: 'done', result: { steps: 2 } });
    expect(states).toEqual([undefined, { step: 1 }]);
    expect(outcomes).toEqual(['given-back', 'done']);
  });

  it('stops a run whose job was taken over or removed', async () => {
    const refused = Promise.withResolvers<unknown>();
    startRunner(
      kindOf(async ({ note, signal }) => {
        await once(signal, 'abort');
        await note({ done: 1, unit: 'steps' }).catch(refused.resolve);
        return { steps: 1 };
      }),
    );
    const { id } = await add();
    await until(async () => (await records.find(id))?.status === 'running');
    await records.remove(id);
    expect(await refused.promise).toMatchObject({ name: 'JobLost' });
    await until(async () => outcomes[0] === 'lost');
    expect(await records.list({ limit: 10 })).toEqual([]);
  });
});
