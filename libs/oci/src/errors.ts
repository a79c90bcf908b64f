/**
 * The error table of the distribution API: code → status and message.
 * Codes are those of the OCI distribution specification ("Error Codes") and of Docker's registry (the last six).
 */
export const ERROR_TABLE = {
  BLOB_UNKNOWN: { status: 404, message: 'blob unknown to this repository' },
  BLOB_UPLOAD_INVALID: { status: 400, message: 'the upload state in the URL is malformed; start a new upload' },
  BLOB_UPLOAD_UNKNOWN: { status: 404, message: 'upload unknown to this repository; start a new upload' },
  DIGEST_INVALID: { status: 400, message: 'the digest is malformed, unsupported, or not that of the content' },
  MANIFEST_BLOB_UNKNOWN: { status: 400, message: 'the manifest names content that this repository does not hold' },
  MANIFEST_INVALID: { status: 400, message: 'manifest invalid' },
  MANIFEST_UNKNOWN: { status: 404, message: 'manifest unknown to this repository' },
  NAME_INVALID: { status: 400, message: 'invalid repository name' },
  NAME_UNKNOWN: { status: 404, message: 'repository name not known to this registry' },
  SIZE_INVALID: { status: 400, message: 'the content is larger or smaller than stated or allowed' },
  UNAUTHORIZED: { status: 401, message: 'authentication required' },
  DENIED: { status: 403, message: 'requested access to the resource is denied' },
  UNSUPPORTED: { status: 405, message: 'the operation is unsupported' },
  TOOMANYREQUESTS: { status: 429, message: 'too many requests' },
  RANGE_INVALID: { status: 416, message: 'the range cannot be satisfied' },
  TAG_INVALID: { status: 400, message: 'invalid tag' },
  MANIFEST_UNVERIFIED: { status: 400, message: 'manifest failed signature verification' },
  PAGINATION_NUMBER_INVALID: { status: 400, message: 'the number of results asked for is invalid' },
  UNAVAILABLE: { status: 503, message: 'service unavailable; try again' },
  UNKNOWN: { status: 500, message: 'unknown error' },
} as const satisfies Record<string, { status: number; message: string }>;

export type RegistryErrorCode = keyof typeof ERROR_TABLE;

export interface RegistryErrorOptions {
  /** Replaces the table's message; says what to do next where there is something to do. */
  readonly message?: string;
  /** JSON value for the client; never a secret. */
  readonly detail?: unknown;
  /** Replaces the table's status where a clause asks for another one (413 for an oversized manifest). */
  readonly status?: number;
  /** Headers of the answer, such as `Range`, `Retry-After` or `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** The fault behind it, for the log only. */
  readonly cause?: unknown;
}

/** A refusal in the vocabulary of the distribution API. Thrown at the cause, rendered once at the HTTP edge. */
export class RegistryError extends Error {
  override readonly name = 'RegistryError';
  readonly code: RegistryErrorCode;
  readonly status: number;
  readonly detail: unknown;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: RegistryErrorCode, options: RegistryErrorOptions = {}) {
    super(options.message ?? ERROR_TABLE[code].message, options.cause === undefined ? {} : { cause: options.cause });
    this.code = code;
    this.status = options.status ?? ERROR_TABLE[code].status;
    this.detail = options.detail;
    this.headers = options.headers ?? {};
  }

  /** The body of the answer (distribution specification, "Error Codes"). */
  toBody(): { errors: [{ code: RegistryErrorCode; message: string; detail?: unknown }] } {
    const detail = this.detail === undefined ? {} : { detail: this.detail };
    return { errors: [{ code: this.code, message: this.message, ...detail }] };
  }
}
