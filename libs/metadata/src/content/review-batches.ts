import type { ReviewBatch, ReviewFailure } from '@entrepot/content';
import type pg from 'pg';
import { isAway } from '../database/errors.js';
import { runUnitOfWork, type Queryable } from '../database/unit-of-work.js';

/** One kind of task: `Key` says what it is about. */
export interface ReviewKind<Key> {
  /** Locks at most `limit` tasks that are due, and what they are about; passes over what is locked. */
  take(tx: Queryable, limit: number): Promise<Key[]>;
  /** Looks, in a statement that begins after the locks were had, and acts. Resolves with how many it removed. */
  decide(tx: Queryable, keys: readonly Key[]): Promise<number>;
  /** Puts a task off that failed. */
  postpone(tx: Queryable, key: Key): Promise<void>;
  describe(key: Key): string;
}

/** When a task that failed `attempts` times is due again. */
export const NEXT_ATTEMPT = `now() + least(interval '5 seconds' * 2 ^ least(attempts, 20), interval '1 day')`;

/**
 * Whoever looks has locks that clients may wait for, and so waits itself for less than Postgres takes to look for a deadlock (a
 * second): it is the one who gives way.
 */
const LIMITS = `SELECT set_config('lock_timeout', '250ms', true), set_config('statement_timeout', '10s', true)`;

/** A transaction of a reviewer. */
export function inReview<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return runUnitOfWork(pool, async (tx) => {
    await tx.query(LIMITS);
    return work(tx);
  });
}

/**
 * Does one batch of tasks. Where that fails they are done one by one, so that each is put off only by its own failure and
 * none is in the way of others.
 */
export async function reviewBatch<Key>(pool: pg.Pool, kind: ReviewKind<Key>, limit: number): Promise<ReviewBatch> {
  try {
    return await inReview(pool, async (tx) => {
      const keys = await kind.take(tx, limit);
      const removed = keys.length > 0 ? await kind.decide(tx, keys) : 0;
      return { taken: keys.length, removed, failures: [] };
    });
  } catch (error) {
    if (isAway(error)) throw error;
    return reviewOneByOne(pool, kind, limit);
  }
}

async function reviewOneByOne<Key>(pool: pg.Pool, kind: ReviewKind<Key>, limit: number): Promise<ReviewBatch> {
  const failures: ReviewFailure[] = [];
  let taken = 0;
  let removed = 0;
  for (; taken < limit; taken += 1) {
    const one = await reviewOne(pool, kind);
    if (one === undefined) break;
    if (typeof one === 'number') removed += one;
    else failures.push(one);
  }
  return { taken, removed, failures };
}

/** Undefined where there is no task. */
async function reviewOne<Key>(pool: pg.Pool, kind: ReviewKind<Key>): Promise<number | ReviewFailure | undefined> {
  let key: Key | undefined;
  try {
    return await inReview(pool, async (tx) => {
      [key] = await kind.take(tx, 1);
      return key === undefined ? undefined : kind.decide(tx, [key]);
    });
  } catch (error) {
    if (key === undefined || isAway(error)) throw error;
    const failed = key;
    await inReview(pool, (tx) => kind.postpone(tx, failed));
    return { subject: kind.describe(failed), error };
  }
}
