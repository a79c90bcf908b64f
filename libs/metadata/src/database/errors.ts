import { DatabaseError } from 'pg';

/**
 * Postgres cannot answer now (down, restarting, out of connections, a timeout). The work may be tried again by whoever asked
 * for it; whether this process may do so itself is said by what became of it.
 */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  /** Read by the HTTP edge: answered with 503 and Retry-After. */
  readonly retryable = true;

  constructor(
    message: string,
    /** `undone`: nothing of it happened; `unknown`: it may have happened, or may still. */
    readonly outcome: 'undone' | 'unknown',
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

// SQLSTATE classes and codes (PostgreSQL documentation, Appendix A) that tell of the moment and not of the statement.
const TRANSIENT_CLASSES = new Set(['08', '53', '57', '58']);
const CONFLICT_CODES = new Set(['40001', '40P01']);
const TRANSIENT_CODES = new Set([...CONFLICT_CODES, '55P03', '25006', '25P03']);
/** The server goes, comes, became a replica, or has no connection left: another try may find it well. */
const AWAY_CODES = new Set(['57P01', '57P02', '57P03', '57P05', '25006', '25P03', '53300']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);
const LOST_CONNECTION = /Connection terminated|Client has encountered a connection error|Client was closed/;
const NO_ANSWER = /Query read timeout|timeout exceeded when trying to connect/;

/** SQLSTATE of a Postgres error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** The violated constraint's name, or undefined where the error is of another kind. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.code?.startsWith('23') ? error.constraint : undefined;
}

/** The transaction was given up so that others, which waited for it while it waited for them, could end. */
export function isConflict(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && CONFLICT_CODES.has(sqlState(error.cause) ?? '');
}

/** Another transaction held a lock for too long, or this one was given up because of it: nobody's fault. */
export function metLock(error: unknown): boolean {
  return isConflict(error) || (error instanceof DatabaseUnavailable && sqlState(error.cause) === '55P03');
}

/** The server was not there, or went away: as after a restart or a failover, and other than after a timeout. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof DatabaseUnavailable)) return false;
  return isConnectionLoss(error.cause) || AWAY_CODES.has(sqlState(error.cause) ?? '');
}

/** The connection is gone, and with it the answer to what was sent last. Ends that the server announces are the same. */
export function isConnectionLoss(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return state.startsWith('08') || state.startsWith('57P') || state === '25P03';
  if (!(error instanceof Error)) return false;
  return SOCKET_CODES.has((error as NodeJS.ErrnoException).code ?? '') || LOST_CONNECTION.test(error.message);
}

function isUnanswered(error: unknown): boolean {
  return error instanceof Error && NO_ANSWER.test(error.message);
}

/** The connection is of no more use: lost, silent, or to a server that became a replica. */
export function isUseless(error: unknown): boolean {
  return isConnectionLoss(error) || isUnanswered(error) || sqlState(error) === '25006';
}

function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return TRANSIENT_CLASSES.has(state.slice(0, 2)) || TRANSIENT_CODES.has(state);
  return isConnectionLoss(error) || isUnanswered(error);
}

/** What became of work whose last step, sent as it was, failed with this error: an answer means that it was undone. */
export function outcomeOf(error: unknown): 'undone' | 'unknown' {
  return isConnectionLoss(error) || isUnanswered(error) ? 'unknown' : 'undone';
}

/** Wraps what tells of the moment in `DatabaseUnavailable`; everything else is returned as it is. */
export function translateDatabaseError(error: unknown, outcome: 'undone' | 'unknown' = outcomeOf(error)): unknown {
  if (!isTransient(error)) return error;
  return new DatabaseUnavailable('the database cannot answer now', outcome, { cause: error });
}
