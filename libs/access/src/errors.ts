/** Why an operation on accounts, organisations, grants or logins was refused. Each edge maps every code. */
export type AccessErrorCode =
  | 'CREDENTIALS_REFUSED'
  | 'LOGIN_THROTTLED'
  | 'LOGIN_BUSY'
  | 'NAME_INVALID'
  | 'NAME_TAKEN'
  | 'PASSWORD_INVALID'
  | 'NOT_FOUND'
  | 'LAST_ADMINISTRATOR'
  | 'LAST_OWNER'
  | 'GRANT_INVALID'
  | 'HTPASSWD_INVALID'
  | 'KEY_UNREADABLE';

export interface AccessErrorOptions {
  /** How long to wait before another try can succeed. */
  readonly retryAfterMs?: number;
  readonly cause?: unknown;
}

/** A refusal by this room. The message may be shown to whoever asked; it never holds a secret. */
export class AccessError extends Error {
  override readonly name = 'AccessError';
  readonly code: AccessErrorCode;
  readonly retryAfterMs: number | undefined;

  constructor(code: AccessErrorCode, message: string, options: AccessErrorOptions = {}) {
    super(message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.retryAfterMs = options.retryAfterMs;
  }
}
