import { DatabaseError } from 'pg';

/** Postgres cannot answer now (down, restarting, out of connections, a timeout). The work may be tried again. */
export class DatabaseUnavailable extends Error {
  override readonly name = 'DatabaseUnavailable';
  /** Read by the HTTP edge: answered with 503 and Retry-After. */
  readonly retryable = true;
}

// SQLSTATE classes and codes (PostgreSQL documentation, Appendix A) that tell of the moment and not of the statement.
const TRANSIENT_CLASSES = new Set(['08', '53', '57', '58']);
const TRANSIENT_CODES = new Set(['40001', '40P01', '55P03', '25006', '25P03']);
const SOCKET_CODES = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
]);

/** SQLSTATE of a Postgres error, or undefined. */
export function sqlState(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** The violated constraint's name, or undefined where the error is of another kind. */
export function violatedConstraint(error: unknown): string | undefined {
  return error instanceof DatabaseError && error.code?.startsWith('23') ? error.constraint : undefined;
}

/** The transaction was given up so that others, which waited for it while it waited for them, could end. */
export function isDeadlock(error: unknown): boolean {
  return error instanceof DatabaseUnavailable && sqlState(error.cause) === '40P01';
}

function isTransient(error: unknown): boolean {
  const state = sqlState(error);
  if (state !== undefined) return TRANSIENT_CLASSES.has(state.slice(0, 2)) || TRANSIENT_CODES.has(state);
  if (!(error instanceof Error)) return false;
  if (SOCKET_CODES.has((error as NodeJS.ErrnoException).code ?? '')) return true;
  return /Connection terminated|Query read timeout|timeout exceeded when trying to connect|Client has encountered a connection error/.test(
    error.message,
  );
}

/** Wraps what tells of the moment in `DatabaseUnavailable`; everything else is returned as it is. */
export function translateDatabaseError(error: unknown): unknown {
  if (!isTransient(error)) return error;
  return new DatabaseUnavailable('the database cannot answer now', { cause: error });
}
