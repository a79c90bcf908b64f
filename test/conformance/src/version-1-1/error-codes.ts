import { Mismatch } from '../ledger/outcome.js';
import { describe, readJson } from '../wire/expect.js';
import type { WireReply } from '../wire/exchange.js';

const errorCodes: ReadonlySet<unknown> = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'MANIFEST_UNVERIFIED',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'TAG_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
]);

/** The first error code of a refusal, which must be one of the specification's list, or of `allowed`. */
export function expectErrorCode(reply: WireReply, allowed: ReadonlySet<unknown> = errorCodes): void {
  const { errors } = readJson(reply);
  const first: unknown = Array.isArray(errors) ? errors[0] : undefined;
  const code = typeof first === 'object' && first !== null && 'code' in first ? first.code : undefined;
  if (!allowed.has(code)) throw new Mismatch(`${describe(reply)}: the error code is ${JSON.stringify(code)}`);
}
