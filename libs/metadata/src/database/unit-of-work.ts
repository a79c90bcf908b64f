import type pg from 'pg';
import { translateDatabaseError } from './errors.js';

/** The handle that statements run on, in a transaction or not. */
export type Queryable = Pick<pg.ClientBase, 'query'>;

/**
 * Runs `work` in one transaction: committed when it resolves, rolled back when it rejects. Nothing else may be awaited
 * inside than statements on `tx`: no transaction is open while bytes flow.
 */
export async function runUnitOfWork<T>(pool: pg.Pool, work: (tx: pg.PoolClient) => Promise<T>): Promise<T> {
  const client = await connect(pool);
  let fault: Error | undefined;
  try {
    await client.query('BEGIN');
    const result = await work(client);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    fault = await rollBack(client);
    throw translateDatabaseError(error);
  } finally {
    client.release(fault);
  }
}

/** One statement on a pooled connection, with errors translated. */
export async function queryRows<R extends pg.QueryResultRow>(pool: pg.Pool, query: pg.QueryConfig): Promise<R[]> {
  try {
    return (await pool.query<R>(query)).rows;
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

async function connect(pool: pg.Pool): Promise<pg.PoolClient> {
  try {
    return await pool.connect();
  } catch (error) {
    throw translateDatabaseError(error);
  }
}

/** The error makes the pool drop the connection: its state is unknown. */
async function rollBack(client: pg.PoolClient): Promise<Error | undefined> {
  try {
    await client.query('ROLLBACK');
    return undefined;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}
