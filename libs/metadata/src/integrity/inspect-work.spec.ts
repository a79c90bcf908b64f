import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createPool, inspectWork, migrate } from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
let owner: Pool;

beforeAll(() => {
  owner = createPool({
    url: database.url,
    role: 'owner',
    poolSize: 1,
    statementTimeoutMs: 10_000,
    lockTimeoutMs: 5_000,
  });
});
beforeEach(() => owner.query('DELETE FROM job; DELETE FROM schedule'));
afterAll(() => owner.end());

const failed = async () => (await inspectWork(owner)).deadJobKinds;

/** A job that ended so many minutes ago. */
const endedAgo = (minutes: number, status: 'done' | 'errored', isScheduled = true) =>
  owner.query(
    `INSERT INTO job (kind, status, requested_by, is_scheduled, capacity, created_at, finished_at, is_dead)
     SELECT 'sweep', $2, 'somebody', $3, '{}', at, at, $2 = 'errored'
     FROM (SELECT now() - $1 * interval '1 minute' AS at) AS moment`,
    [minutes, status, isScheduled],
  );

const firedAgo = (minutes: number) =>
  owner.query(
    `INSERT INTO schedule (kind, default_spec, next_at, last_fired_at)
     VALUES ('sweep', '@daily', now() + interval '1 hour', now() - $1 * interval '1 minute')`,
    [minutes],
  );

describe('kinds that failed', () => {
  it('are those whose last run by itself failed within the day', async () => {
    await endedAgo(24 * 60 + 1, 'errored');
    expect(await failed()).toEqual([]);
    await firedAgo(31);
    await endedAgo(30, 'errored');
    expect(await failed()).toEqual(['sweep']);
  });

  it('are not what somebody asked for', async () => {
    await endedAgo(30, 'errored', false);
    expect(await failed()).toEqual([]);
  });

  it('are well again once one of the kind was done, by whomever', async () => {
    await endedAgo(30, 'errored');
    await endedAgo(40, 'done');
    expect(await failed()).toEqual(['sweep']);
    await endedAgo(20, 'done', false);
    expect(await failed()).toEqual([]);
  });

  it('are well again once a run had nothing to do, which leaves no job', async () => {
    await endedAgo(30, 'errored');
    await firedAgo(10);
    expect(await failed()).toEqual([]);
    await endedAgo(9, 'errored');
    expect(await failed()).toEqual(['sweep']);
  });
});
