/** Postgres cannot be started or did not answer. The message is one line that says what to do. */
export class PostgresError extends Error {
  override readonly name = 'PostgresError';
  /** The last lines that Postgres or initdb wrote, oldest first; empty when it wrote nothing. */
  readonly logTail: readonly string[];

  constructor(message: string, logTail: readonly string[] = [], cause?: unknown) {
    super(message, { cause });
    this.logTail = logTail;
  }
}
