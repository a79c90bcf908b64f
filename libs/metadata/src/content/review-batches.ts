import type { ReviewBatch, ReviewFailure, ReviewStep } from '@entrepot/content';
import type pg from 'pg';
import { isAway, metLock } from '../database/errors.js';
import { runUnitOfWork, type Queryable } from '../database/unit-of-work.js';

/** Told of each step within a transaction; only tests wait there. */
export type AtStep = (step: ReviewStep) => Promise<void>;

/** One kind of task: `Key` says what it is about. */
export interface ReviewKind<Key> {
  readonly name: 'Manifests' | 'Links' | 'Blobs';
  /** Locks at most `limit` tasks that are due, and what they are about; passes over what is locked. */
  take(tx: Queryable, limit: number): Promise<Key[]>;
  /** Looks, in a statement that begins after the locks were had, and acts. Resolves with how many it removed. */
  decide(tx: Queryable, keys: readonly Key[]): Promise<number>;
  /** Puts a task off that failed, or, for less, one that met a lock: that is nobody's fault, and counts no attempt. */
  postpone(tx: Queryable, key: Key, metLock: boolean): Promise<void>;
  describe(key: Key): string;
}

/** Assignments that put a task off: by more with each attempt that failed, by two seconds where $1 says that it met a lock. */
export const POSTPONED = `
  attempts = attempts + CASE WHEN $1::boolean THEN 0 ELSE 1 END,
  due_at = now() + CASE WHEN $1::boolean THEN interval '2 seconds'
    ELSE least(interval '5 seconds' * 2 ^ least(attempts, 20), interval '1 day') END`;

/**
 * Whoever looks has locks that clients may wait for, and so waits itself for less than Postgres takes to look for a deadlock (a
 * second): it is the one who gives way. Of a process that stands still Postgres ends the session, and undoes what it began,
 * before those clients give up.
 */
const LIMITS = `
  SELECT set_config('lock_timeout', '250ms', true), set_config('statement_timeout', '10s', true),
    set_config('idle_in_transaction_session_timeout', '3s', true)`;

/** A transaction of a reviewer. */
export function inReview<T>(pool: pg.Pool, work: (tx: Queryable) => Promise<T>): Promise<T> {
  return runUnitOfWork(pool, async (tx) => {
    await tx.query(LIMITS);
    return work(tx);
  });
}

export interface ReviewRoom {
  readonly pool: pg.Pool;
  readonly atStep?: AtStep | undefined;
}

/**
 * Does one batch of tasks. Where that fails they are done one by one, so that each is put off only by its own failure and
 * none is in the way of others.
 */
export async function reviewBatch<Key>(room: ReviewRoom, kind: ReviewKind<Key>, limit: number): Promise<ReviewBatch> {
  try {
    const { keys, removed } = await reviewOnce(room, kind, limit);
    return { taken: keys.length, removed, failures: [] };
  } catch (error) {
    if (isAway(error)) throw error;
    return reviewOneByOne(room, kind, limit);
  }
}

function reviewOnce<Key>(
  { pool, atStep }: ReviewRoom,
  kind: ReviewKind<Key>,
  limit: number,
  onTaken: (keys: Key[]) => void = () => {},
): Promise<{ keys: readonly Key[]; removed: number }> {
  return inReview(pool, async (tx) => {
    const keys = await kind.take(tx, limit);
    onTaken(keys);
    if (keys.length === 0) return { keys, removed: 0 };
    await atStep?.(`take${kind.name}`);
    const removed = await kind.decide(tx, keys);
    await atStep?.(`decide${kind.name}`);
    return { keys, removed };
  });
}

async function reviewOneByOne<Key>(room: ReviewRoom, kind: ReviewKind<Key>, limit: number): Promise<ReviewBatch> {
  const failures: ReviewFailure[] = [];
  let taken = 0;
  let removed = 0;
  for (; taken < limit; taken += 1) {
    const one = await reviewOne(room, kind);
    if (one === undefined) break;
    if (typeof one === 'number') removed += one;
    else failures.push(one);
  }
  return { taken, removed, failures };
}

/** Undefined where there is no task. */
async function reviewOne<Key>(room: ReviewRoom, kind: ReviewKind<Key>): Promise<number | ReviewFailure | undefined> {
  const taken: Key[] = [];
  try {
    const { keys, removed } = await reviewOnce(room, kind, 1, (found) => taken.splice(0, 1, ...found));
    return keys.length === 0 ? undefined : removed;
  } catch (error) {
    const [failed] = taken;
    if (failed === undefined || isAway(error)) throw error;
    await postponeUnlessHeld(room, (tx) => kind.postpone(tx, failed, metLock(error)));
    return { subject: kind.describe(failed), error };
  }
}

/** Whoever has the task now says when it is due; where nobody does it stays as it is. */
async function postponeUnlessHeld({ pool }: ReviewRoom, postpone: (tx: Queryable) => Promise<void>): Promise<void> {
  try {
    await inReview(pool, postpone);
  } catch (error) {
    if (isAway(error)) throw error;
  }
}

/** A step that is no task: where it fails that is told, and nothing was taken. */
export async function tryStep(subject: string, step: () => Promise<number>): Promise<ReviewBatch> {
  try {
    return { taken: await step(), removed: 0, failures: [] };
  } catch (error) {
    if (isAway(error)) throw error;
    return { taken: 0, removed: 0, failures: [{ subject, error }] };
  }
}
