import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { sqlState } from './errors.js';

/** Asks on another connection, for as long as patience says; rejects where the database stays away. */
export type AskDatabase = <R extends pg.QueryResultRow>(query: pg.QueryConfig) => Promise<R[]>;

type TransactionStatus = 'in progress' | 'committed' | 'aborted' | 'standby' | 'unheard of' | null;

const POLL_MS = 50;
/** SQLSTATE of `pg_xact_status` for an id that was not given out yet: it was, but a crash forgot it, and all it did. */
const IN_THE_FUTURE = '22023';

/**
 * Finds out whether a transaction was committed whose COMMIT was sent and not answered. The event that it wrote decides.
 * Where there is none the id says whether the transaction may still be under way; it does not tell that it was committed, since a
 * server that lost its last moments, by a crash or a failover, gives the same ids again.
 */
export async function findOutcome(
  ask: AskDatabase,
  { transactionId, changeId }: { readonly transactionId: string; readonly changeId: string },
  patienceMs: number,
): Promise<'committed' | 'undone' | 'unknown'> {
  const deadlineMs = performance.now() + patienceMs;
  for (;;) {
    const status = await statusOf(ask, transactionId).catch(() => undefined);
    if (status === undefined) return 'unknown';
    const isOver = status !== 'in progress' && status !== 'standby';
    if (isOver && (await isWritten(ask, changeId).catch(() => false))) return 'committed';
    if (status === 'aborted' || status === 'unheard of') return 'undone';
    // Committed without its event: the event was relayed by now, or the id is another transaction's.
    if (isOver || performance.now() + POLL_MS > deadlineMs) return 'unknown';
    await delay(POLL_MS);
  }
}

/** The statement after this one sees what a transaction committed that is over by now. */
async function statusOf(ask: AskDatabase, transactionId: string): Promise<TransactionStatus> {
  try {
    const [row] = await ask<{ status: TransactionStatus }>({
      text: `SELECT CASE WHEN pg_is_in_recovery() THEN 'standby' ELSE pg_xact_status($1::text::xid8) END AS status`,
      values: [transactionId],
    });
    return row?.status ?? null;
  } catch (error) {
    if (sqlState(error) === IN_THE_FUTURE) return 'unheard of';
    throw error;
  }
}

async function isWritten(ask: AskDatabase, changeId: string): Promise<boolean> {
  return (await ask({ text: 'SELECT id FROM outbox_event WHERE id = $1', values: [changeId] })).length > 0;
}
