import { StoreFull, StoreUnavailable } from '@entrepot/content';

/** Code of a request on which nothing moved for too long. */
export const SILENCE = 'nothing moved';

/** Why one request to the store failed. */
export class S3Failure extends Error {
  override readonly name = 'S3Failure';

  constructor(
    /** The store's code (`NoSuchKey`), the system's (`ECONNREFUSED`), or `HTTP 503`. */
    readonly code: string,
    /** Another try may succeed, and does no harm: every request here names what only one writer writes. */
    readonly isTransient: boolean,
    options?: ErrorOptions,
  ) {
    super(code, options);
  }
}

const MISSING = new Set(['NoSuchKey', 'NotFound', 'NoSuchUpload', 'NoSuchVersion']);

/** What the operator can do about it. */
const ADVICE: Readonly<Record<string, string>> = {
  NoSuchBucket: 'there is no such bucket; make it, or correct ENTREPOT_STORAGE_BUCKET',
  AccessDenied: 'not permitted; give the key the right to get, put, list and delete objects and multipart uploads',
  InvalidAccessKeyId: 'the key is unknown; correct ENTREPOT_STORAGE_ACCESS_KEY',
  SignatureDoesNotMatch:
    'the secret is wrong; correct ENTREPOT_STORAGE_SECRET_KEY, and see that no proxy rewrites requests',
  RequestTimeTooSkewed: 'the clocks of this machine and of the store differ; set them',
  AuthorizationHeaderMalformed: 'the region is wrong; correct ENTREPOT_STORAGE_REGION',
  PermanentRedirect: 'the bucket lies elsewhere; correct ENTREPOT_STORAGE_ENDPOINT and ENTREPOT_STORAGE_REGION',
  QuotaExceeded: 'the quota of the bucket is used up; raise it or free space',
  ENOTFOUND: 'the name of the endpoint is unknown; correct ENTREPOT_STORAGE_ENDPOINT, or see to the name server',
  ECONNREFUSED: 'nothing answers at the endpoint; is the store running?',
  EPROTO: 'the endpoint does not speak TLS as expected; is it http instead of https?',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted; name the authority in ENTREPOT_STORAGE_CA',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted; name it in ENTREPOT_STORAGE_CA',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted; name the authority in ENTREPOT_STORAGE_CA',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted; name the authority in ENTREPOT_STORAGE_CA',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name; correct ENTREPOT_STORAGE_ENDPOINT',
};

/** Codes of the store that speak of its own trouble; all others are an answer, and stay what they are. */
const TROUBLE = new Set([
  'InternalError',
  'ServiceUnavailable',
  'SlowDown',
  'Busy',
  'RequestTimeout',
  'OperationAborted',
  'BadDigest',
  'XAmzContentSHA256Mismatch',
  'IncompleteBody',
]);

/** True for an answer that says: not there. */
export function isMissing(error: unknown): boolean {
  return error instanceof S3Failure && MISSING.has(error.code);
}

/** True for an answer of the store, as against no answer or one of trouble. */
export function isAnswer(error: unknown): error is S3Failure {
  return error instanceof S3Failure && !error.isTransient;
}

/**
 * What a failed request means. `status` is that of the answer, if there was one: errors of the client library do not
 * always carry it.
 */
export function toS3Failure(error: unknown, status: number | undefined): S3Failure {
  if (error instanceof S3Failure) return error;
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  if (status === undefined) return new S3Failure(code ?? 'no answer', !(code ?? '').includes('CERT'), { cause: error });
  const isTrouble = isTroubledStatus(status) || TROUBLE.has(code ?? '') || status < 400;
  return new S3Failure(isTroubledStatus(status) ? `HTTP ${status}` : code || `HTTP ${status}`, isTrouble, {
    cause: error,
  });
}

/** A status by which a server, or a proxy before it, says that it cannot do its work now. */
export function isTroubledStatus(status: number): boolean {
  return status >= 500 || status === 408 || status === 429;
}

/** What callers of the store see: never a key, a secret or a signed address. */
export function toStoreUnavailable(error: unknown, place: string): unknown {
  if (!(error instanceof S3Failure)) return error;
  const advice =
    ADVICE[error.code] ??
    (error.isTransient
      ? 'it does not do its work now'
      : 'it refused a request; check the key, its rights and the bucket');
  const Fault = error.code === 'QuotaExceeded' ? StoreFull : StoreUnavailable;
  return new Fault(`object storage ${place}: ${advice} (${error.code})`, { cause: error });
}
