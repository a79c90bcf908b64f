import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, RegistryError, type RegistryErrorCode } from './errors.js';

/** code-1 to code-14 of the distribution specification, in its order. */
const SPECIFIED = [
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
] as const satisfies readonly RegistryErrorCode[];

describe('ERROR_TABLE', () => {
  it('begins with the codes of the specification', () => {
    expect(Object.keys(ERROR_TABLE).slice(0, SPECIFIED.length)).toEqual(SPECIFIED);
  });

  it('gives no client error a server status', () => {
    for (const code of SPECIFIED) expect(ERROR_TABLE[code].status).toBeLessThan(500);
  });
});

describe('RegistryError', () => {
  it('takes status and message from the table', () => {
    const error = new RegistryError('BLOB_UNKNOWN');
    expect(error).toMatchObject({ code: 'BLOB_UNKNOWN', status: 404, headers: {} });
    expect(error.toBody()).toEqual({ errors: [{ code: 'BLOB_UNKNOWN', message: ERROR_TABLE.BLOB_UNKNOWN.message }] });
  });

  it('lets a clause replace them', () => {
    const cause = new Error('for the log');
    const error = new RegistryError('SIZE_INVALID', { status: 413, message: 'too large', detail: { limit: 4 }, cause });
    expect(error.status).toBe(413);
    expect(error.cause).toBe(cause);
    expect(error.toBody()).toEqual({ errors: [{ code: 'SIZE_INVALID', message: 'too large', detail: { limit: 4 } }] });
  });
});
