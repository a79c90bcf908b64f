import type pg from 'pg';
import { DatabasePool } from './connection.js';
import { isUseless, outcomeOf, translateDatabaseError } from './errors.js';
import { findOutcome } from './lost-commit.js';
import { repeat } from './repeat.js';

/** The handle that statements run on, in a transaction or not. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. Nothing else may be awaited
 * inside than statements on `tx`: no transaction is open while bytes flow. `work` runs anew where all that it did was undone
 * because of others, or because the database went away. `changeId` is the id of an event that `work` writes: by it a
 * transaction whose COMMIT was not answered is found. Without one it is `DatabaseUnavailable`, and may have happened.
 */
export function runUnitOfWork<T>(
  pool: pg.Pool,
  work: (tx: pg.PoolClient) => Promise<T>,
  changeId?: string,
): Promise<T> {
  return repeat(ways(pool), async () => {
    const { result, lost } = await runOnce(pool, work, changeId);
    if (lost !== undefined) await settle(pool, lost);
    return result;
  });
}

/** One statement in a transaction of its own; begun again only where it surely did not happen. */
export function queryRows<R extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<R[]> {
  return repeat(ways(pool), () => queryOnce<R>(pool, query));
}

/**
 * The same for a statement that may run twice: a read, or a write that names by a key what it makes. `check` is asked instead of
 * the statement's own result where it found nothing to do, and an attempt before it may have done it.
 */
export function repeatRows<R extends pg.QueryResultRow>(
  pool: pg.Pool,
  query: pg.QueryConfig,
  check?: pg.QueryConfig,
): Promise<R[]> {
  return repeat({ ...ways(pool), isIdempotent: true }, async (again) => {
    const rows = await queryOnce<R>(pool, query);
    return again && rows.length === 0 && check ? queryOnce<R>(pool, check) : rows;
  });
}

interface Ways {
  readonly patienceMs: number;
  /** Statements that set up each transaction. */
  readonly setUp?: string | undefined;
}

function ways(pool: pg.Pool): Ways {
  return pool instanceof DatabasePool ? pool : { patienceMs: 0 };
}

interface LostCommit {
  readonly transactionId: string;
  readonly changeId: string;
  readonly error: unknown;
}

async function settle(pool: pg.Pool, { error, ...lost }: LostCommit): Promise<void> {
  const { patienceMs } = ways(pool);
  const ask = <R extends pg.QueryResultRow>(query: pg.QueryConfig) => repeatRows<R>(pool, query);
  const outcome = await findOutcome(ask, lost, patienceMs);
  if (outcome !== 'committed') throw translateDatabaseError(error, outcome);
}

async function runOnce<T>(
  pool: pg.Pool,
  work: (tx: pg.PoolClient) => Promise<T>,
  changeId: string | undefined,
): Promise<{ result: T; lost?: LostCommit }> {
  const client = await connect(pool);
  let fault: Error | undefined;
  try {
    const transactionId = await begin(client, pool, changeId !== undefined);
    const result = await work(client);
    const error = await commit(client);
    if (error === undefined) return { result };
    fault = toError(error);
    if (transactionId === undefined || changeId === undefined) throw translateDatabaseError(error, 'unknown');
    return { result, lost: { transactionId, changeId, error } };
  } catch (error) {
    fault ??= await rollBack(client, error);
    throw translateDatabaseError(error, 'undone');
  } finally {
    client.release(fault);
  }
}

/** Begins a transaction in one round trip; resolves with its id where that is wanted. */
async function begin(client: pg.PoolClient, pool: pg.Pool, wantsId: boolean): Promise<string | undefined> {
  const { setUp } = ways(pool);
  const id = wantsId ? ['SELECT pg_current_xact_id()::text AS id'] : [];
  const answers: unknown = await client.query(['BEGIN', ...(setUp === undefined ? [] : [setUp]), ...id].join('; '));
  const last = Array.isArray(answers) ? (answers.at(-1) as pg.QueryResult<{ id: string }>) : undefined;
  return wantsId ? last?.rows[0]?.id : undefined;
}

/** Resolves with the error that left open whether the transaction was committed. */
async function commit(client: pg.PoolClient): Promise<unknown> {
  try {
    await client.query('COMMIT');
    return undefined;
  } catch (error) {
    if (outcomeOf(error) === 'undone') throw error;
    return error;
  }
}

async function queryOnce<R extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<R[]> {
  // A pooler's connection is set up for one transaction at a time.
  if (ways(pool).setUp !== undefined) return (await runOnce(pool, (tx) => tx.query<R>(query), undefined)).result.rows;
  const client = await connect(pool);
  let fault: Error | undefined;
  try {
    return (await client.query<R>(query)).rows;
  } catch (error) {
    if (isUseless(error)) fault = toError(error);
    throw translateDatabaseError(error);
  } finally {
    client.release(fault);
  }
}

/** Nothing was sent where this fails. */
async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translateDatabaseError(error, 'undone');
  }
}

/** Resolves with an error where the pool has to drop the connection, since its state is unknown. */
async function rollBack(client: pg.PoolClient, reason: unknown): Promise<Error | undefined> {
  if (isUseless(reason)) return toError(reason);
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return toError(error);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
