import { randomUUID } from 'node:crypto';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPool, type DatabasePool } from '../database/connection.js';
import { migrate } from '../database/migrate.js';
import { PostgresJobClaims } from './postgres-job-claims.js';
import { PostgresJobRecords } from './postgres-job-records.js';

const EXPIRY_MS = 25_000;
const KINDS = ['review', 'scrub'];

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let pool: DatabasePool;
let records: PostgresJobRecords;
let claims: PostgresJobClaims;

beforeAll(async () => {
  const limits = { poolSize: 8, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  pool = createPool({ url: database.url, role: 'jobrunner', ...limits });
  records = new PostgresJobRecords(pool);
  claims = new PostgresJobClaims(pool, EXPIRY_MS);
});

afterAll(async () => {
  await pool.end();
});

beforeEach(async () => {
  await pool.query('DELETE FROM job_log; DELETE FROM job; DELETE FROM schedule; DELETE FROM worker');
});

const add = (kind = 'review', more = {}) => records.add({ kind, requestedBy: 'cli:root', ...more });
const free = { review: 1, scrub: 1 };
const worker = () => ({ id: randomUUID(), host: 'here', processId: 7, kinds: KINDS, capacity: free });

async function claimOne(workerId: string = randomUUID()) {
  const claim = await claims.claim(workerId, KINDS, free);
  if (claim === undefined) throw new Error('nothing to claim');
  return claim;
}

const declare = (schedule: string) => claims.declare([{ kind: 'review', schedule, retries: 2 }]);
const waiting = () => records.list({ status: 'waiting', limit: 10 });

/** Lets the signs of life of all running jobs grow old. */
async function silence(): Promise<void> {
  await pool.query(`UPDATE job SET heartbeat_at = now() - interval '26 s' WHERE status = 'running'`);
}

async function makeDue(kind: string, ago = '1 s'): Promise<void> {
  await pool.query('UPDATE schedule SET next_at = now() - $2::interval WHERE kind = $1', [kind, ago]);
}

describe('claims', () => {
  it('give each job to one of many workers', async () => {
    await Promise.all(Array.from({ length: 6 }, () => add()));
    const taken = await Promise.all(Array.from({ length: 9 }, () => claims.claim(randomUUID(), KINDS, free)));
    const ids = taken.flatMap((claim) => claim?.id ?? []);
    expect(ids).toHaveLength(6);
    expect(new Set(ids).size).toBe(6);
  });

  it('take what has been due for longest, of known kinds, within the capacity', async () => {
    const later = await add('scrub', { scheduledAt: new Date(Date.now() - 60_000) });
    const first = await add('review', { scheduledAt: new Date(Date.now() - 120_000) });
    await add('unheard-of');
    await add('review', { scheduledAt: new Date(Date.now() + 3_600_000) });
    expect((await claims.claim(randomUUID(), KINDS, { review: 0, scrub: 1 }))?.id).toBe(later.id);
    expect((await claimOne()).id).toBe(first.id);
    expect(await claims.claim(randomUUID(), KINDS, free)).toBeUndefined();
  });

  it('carry parameters, a deadline and whoever asked', async () => {
    await add('scrub', { parameters: { 'dry-run': 'true' }, deadlineMs: 60_000, retries: 2 });
    const { job } = await claimOne();
    expect(job).toMatchObject({ status: 'running', requestedBy: 'cli:root', parameters: { 'dry-run': 'true' } });
    expect(job).toMatchObject({ deadlineMs: 60_000, retriesLeft: 2, retriesTotal: 2, capacity: { scrub: 1 } });
  });

  it('note progress, and what the next run needs', async () => {
    await add();
    const claim = await claimOne();
    expect(await claims.note(claim, { done: 3, total: 9, unit: 'blobs', state: { last: 'sha256:aa' } })).toBe(true);
    expect((await records.find(claim.id))?.progress).toEqual({ done: 3, total: 9, unit: 'blobs' });
    await claims.giveBack(claim, 'worker_shutdown');
    const again = await claimOne();
    expect(again).toMatchObject({ id: claim.id, state: { last: 'sha256:aa' }, lastLine: 1 });
    expect(await records.lines(claim.id, 0, 10)).toMatchObject([{ lineNum: 1, data: 'worker_shutdown' }]);
  });

  it('keep the last lines of a log', async () => {
    await add();
    const claim = await claimOne();
    await claims.append(claim, { first: 1, data: ['a', 'b', 'c'] }, 4);
    await claims.append(claim, { first: 4, data: ['d', 'e'] }, 4);
    const lines = await records.lines(claim.id, 0, 10);
    expect(lines.map(({ lineNum, data }) => `${lineNum} ${data}`)).toEqual(['2 b', '3 c', '4 d', '5 e']);
  });
});

describe('a worker that died', () => {
  it('loses its job to another one, which goes on from the noted state', async () => {
    await add();
    const first = await claimOne();
    await claims.note(first, { done: 1, unit: 'steps', state: { step: 1 } });
    expect(await claims.reclaim(KINDS, [])).toEqual([]);
    await silence();
    expect(await claims.reclaim(KINDS, [])).toMatchObject([{ id: first.id, status: 'waiting' }]);
    const second = await claimOne();
    expect(second).toMatchObject({ id: first.id, state: { step: 1 } });
    expect(BigInt(second.fence)).toBeGreaterThan(BigInt(first.fence));
    await claims.end(second, { status: 'done', result: { steps: 2 } });
    expect(await records.find(first.id)).toMatchObject({ status: 'done', result: { steps: 2 } });
    expect((await records.lines(first.id, 0, 10))[0]?.data).toMatch(/^worker_dead: /);
  });

  it('can write nothing when it comes back', async () => {
    await add();
    const stale = await claimOne();
    await silence();
    await claims.reclaim(KINDS, []);
    const fresh = await claimOne();
    expect(await claims.keep([stale])).toEqual([]);
    expect(await claims.note(stale, { done: 9, unit: 'steps' })).toBe(false);
    expect(await claims.append(stale, { first: 1, data: ['from beyond'] }, 10)).toBe(false);
    await claims.end(stale, { status: 'errored', error: 'late' });
    await claims.forget(stale);
    await claims.giveBack(stale, 'late');
    expect(await records.find(fresh.id)).toMatchObject({ status: 'running', progress: undefined });
    expect(await claims.keep([fresh])).toEqual([{ id: fresh.id, cancelRequestedBy: undefined }]);
  });

  it('ends a job that must not run twice', async () => {
    await add('scrub');
    const { id } = await claimOne();
    await silence();
    expect(await claims.reclaim(KINDS, ['scrub'])).toMatchObject([{ id, status: 'errored' }]);
    expect(await records.list({ isDead: true, limit: 10 })).toMatchObject([
      { id, status: 'errored', error: expect.stringContaining('must not run twice') },
    ]);
  });

  it('is not followed by others without end', async () => {
    const { id } = await add();
    for (let losses = 0; losses < 6; losses += 1) {
      await claimOne();
      await silence();
      await claims.reclaim(KINDS, []);
    }
    expect(await records.find(id)).toMatchObject({ status: 'errored', error: 'worker_dead: 6 workers died over it' });
  });

  it('is listed as dead', async () => {
    const one = worker();
    await claims.greet(one);
    expect(await records.workers()).toMatchObject([{ id: one.id, status: 'running', capacity: free }]);
    await pool.query(`UPDATE worker SET heartbeat_at = now() - interval '26 s'`);
    expect(await records.workers()).toMatchObject([{ id: one.id, status: 'dead' }]);
    await claims.greet(one);
    expect(await records.workers()).toMatchObject([{ id: one.id, status: 'running' }]);
    await claims.leave(one.id);
    expect(await records.workers()).toEqual([]);
  });
});

describe('a cancel', () => {
  it('ends a job that waits at once, and asks one that runs', async () => {
    const waiting = await add('scrub');
    expect(await records.cancel(waiting.id, 'cli:root')).toMatchObject({ status: 'canceled' });
    await add();
    const claim = await claimOne();
    expect(await records.cancel(claim.id, 'cli:root')).toMatchObject({ status: 'running' });
    expect(await claims.keep([claim])).toEqual([{ id: claim.id, cancelRequestedBy: 'cli:root' }]);
    await silence();
    expect(await claims.reclaim(KINDS, [])).toMatchObject([{ id: claim.id, status: 'canceled' }]);
  });

  it('changes nothing about what is over, and finds nothing where nothing is', async () => {
    await add();
    const claim = await claimOne();
    await claims.end(claim, { status: 'done', result: {} });
    expect(await records.cancel(claim.id, 'cli:root')).toMatchObject({ status: 'done', cancelRequestedAt: undefined });
    expect(await records.cancel('nonsense', 'cli:root')).toBeUndefined();
    expect(await records.cancel(randomUUID(), 'cli:root')).toBeUndefined();
  });

  it('by removal makes the claim void', async () => {
    await add();
    const claim = await claimOne();
    await claims.append(claim, { first: 1, data: ['a line'] }, 10);
    expect(await records.remove(claim.id)).toBe(true);
    expect(await claims.keep([claim])).toEqual([]);
    expect(await records.remove(claim.id)).toBe(false);
  });
});

describe('a job that failed', () => {
  it('is tried again by a job of its own, until no retry is left', async () => {
    const { id } = await add('review', { retries: 1 });
    const retryId = await claims.end(await claimOne(), { status: 'errored', error: 'no', retryAfterMs: 0 });
    expect(await records.find(id)).toMatchObject({ status: 'errored', error: 'no', isDead: false });
    expect(await records.find(retryId ?? '')).toMatchObject({ status: 'waiting', retryFromId: id, retriesLeft: 0 });
    expect(await claims.end(await claimOne(), { status: 'errored', error: 'no', retryAfterMs: 0 })).toBeUndefined();
    expect(await records.list({ isDead: true, limit: 10 })).toMatchObject([{ id: retryId, retriesTotal: 1 }]);
  });

  it('is left to its schedule where that comes sooner', async () => {
    await claims.declare([{ kind: 'review', schedule: '@every 1m', retries: 3 }]);
    await claims.fireNow('review');
    expect(
      await claims.end(await claimOne(), { status: 'errored', error: 'no', retryAfterMs: 90_000 }),
    ).toBeUndefined();
    await claims.fireNow('review');
    expect(await claims.end(await claimOne(), { status: 'errored', error: 'no', retryAfterMs: 5_000 })).toBeDefined();
  });
});

describe('schedules', () => {
  it('fire once for the whole cluster, and once for all that was missed', async () => {
    await declare('@every 10m');
    await makeDue('review', '3 hours 7 minutes');
    await Promise.all(Array.from({ length: 6 }, () => claims.fire(KINDS)));
    expect(await waiting()).toMatchObject([
      { kind: 'review', requestedBy: 'schedule', isScheduled: true, retriesLeft: 2 },
    ]);
    const [{ nextAt } = { nextAt: undefined }] = await records.schedules();
    expect(nextAt?.getTime()).toBeGreaterThan(Date.now());
    expect(nextAt?.getTime()).toBeLessThanOrEqual(Date.now() + 600_000);
  });

  it('do not fire while one of the kind is waiting', async () => {
    await declare('@every 10m');
    await makeDue('review');
    await claims.fire(KINDS);
    await makeDue('review');
    await claims.fire(KINDS);
    expect(await waiting()).toHaveLength(1);
    await claimOne();
    await makeDue('review');
    await claims.fire(KINDS);
    expect(await waiting()).toHaveLength(1);
  });

  it('are the default of the settings, or what an operator set', async () => {
    await declare('@every 1h');
    expect(await records.setSchedule('review', '0 0 3 * * *', 'cli:root')).toMatchObject({ override: '0 0 3 * * *' });
    await declare('@every 2h');
    const [{ nextAt, ...schedule } = { nextAt: undefined }] = await records.schedules();
    expect(schedule).toMatchObject({ fallback: '@every 2h', override: '0 0 3 * * *', setBy: 'cli:root' });
    expect(nextAt?.toISOString()).toMatch(/T03:00:00/);
    await records.setSchedule('review', 'off', 'cli:root');
    expect(await claims.fire(KINDS)).toBeUndefined();
    await claims.fireNow('review');
    expect(await waiting()).toEqual([]);
    await records.setSchedule('review', undefined, 'cli:root');
    expect(await claims.fire(KINDS)).toBeGreaterThan(3_600_000);
    await expect(records.setSchedule('review', 'daily', 'cli:root')).rejects.toThrow('is no schedule');
    expect(await records.setSchedule('unheard-of', '@daily', 'cli:root')).toBeUndefined();
  });

  it('are not put off by a start', async () => {
    await declare('@every 1h');
    await pool.query(`UPDATE schedule SET next_at = '2100-01-01'`);
    await declare('@every 1h');
    expect((await records.schedules())[0]?.nextAt?.getUTCFullYear()).toBe(2100);
  });
});

describe('records', () => {
  it('are kept by number and by age, and counted while they last', async () => {
    for (let number = 0; number < 4; number += 1) {
      await add();
      const claim = await claimOne();
      await claims.append(claim, { first: 1, data: ['a line'] }, 10);
      await claims.end(claim, { status: 'done', result: { number } });
    }
    await declare('@every 1h');
    await claims.fireNow('review');
    await claims.end(await claimOne(), { status: 'done', result: { number: 9 } });
    await add('scrub', { scheduledAt: new Date(Date.now() - 120_000) });
    expect(await claims.count()).toMatchObject({ jobs: [{ kind: 'scrub', status: 'waiting', count: 1 }], overdue: 1 });
    // Whoever waits for one of them has not looked yet.
    expect(await claims.trim({ count: 0, ageMs: 0 })).toBe(0);
    await pool.query(`UPDATE job SET finished_at = finished_at - interval '2 min'`);
    expect(await claims.trim({ count: 2, ageMs: 3_600_000 })).toBe(2);
    expect((await records.list({ status: 'done', limit: 10 })).map(({ result }) => result?.['number'])).toEqual([
      9, 3, 2,
    ]);
    await pool.query(`UPDATE job SET finished_at = now() - interval '2 h' WHERE status = 'done'`);
    expect(await claims.trim({ count: 2, ageMs: 3_600_000 })).toBe(3);
    expect(await records.list({ kind: 'review', limit: 10 })).toEqual([]);
  });
});
