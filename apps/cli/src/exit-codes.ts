/** Exit codes of `entrepot`, after sysexits.h where that has one. */
export const EXIT_CODES = {
  ok: 0,
  /** The command was understood and refused: the name is taken, no such account; or it found something wrong. */
  refused: 1,
  /** What was to be examined could not be looked at. */
  blind: 2,
  /** Unknown command, option or argument. */
  usage: 64,
  /** A file that was given does not hold what it should. */
  badInput: 65,
  /** Postgres, or a program that is needed, cannot be reached or started. */
  unavailable: 69,
  /** A defect of Entrepot itself. */
  internal: 70,
  /** An address cannot be listened on: the port is taken, or not allowed. */
  address: 71,
  /** The data directory cannot be created or written. */
  directory: 73,
  /** Too little space on the data directory's disk. */
  diskFull: 74,
  /** Another instance owns the data directory; stop it and try again. */
  owned: 75,
  /** The settings cannot be used. */
  config: 78,
  /** Stopped by a second signal before everything was drained. */
  forced: 130,
} as const;

export type ExitReason = keyof typeof EXIT_CODES;

/** Ends the command with one line that says what to do, and the exit code of its reason. */
export class CommandFailure extends Error {
  override readonly name = 'CommandFailure';
  readonly reason: ExitReason;
  /** Printed below the message, such as the last lines of a log. */
  readonly details: readonly string[];

  constructor(reason: ExitReason, message: string, options: { details?: readonly string[]; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.reason = reason;
    this.details = options.details ?? [];
  }
}
