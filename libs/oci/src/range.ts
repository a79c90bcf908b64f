import { RegistryError } from './errors.js';

/** A range of bytes, both ends included. */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

const BYTES_UNIT = /^bytes[ \t]*=/i;
const BLOB_RANGE = /^[ \t]*([0-9]*)-([0-9]*)[ \t]*$/;
const UPLOAD_RANGE = /^([0-9]{1,16})-([0-9]{1,16})$/;

/**
 * Reads the Range header of a blob GET (RFC 9110, 14.2). Undefined means the whole blob: no header, another unit, or
 * several ranges, which a server may ignore.
 * @throws RegistryError 416 RANGE_INVALID with `Content-Range: bytes *\/<size>` for a range that is malformed, backward
 * (`500-0`), or begins after the end
 */
export function parseBlobRange(header: string | undefined, sizeBytes: number): ByteRange | undefined {
  const unit = header === undefined ? null : BYTES_UNIT.exec(header);
  if (header === undefined || unit === null || header.includes(',')) return undefined;
  const ends = BLOB_RANGE.exec(header.slice(unit[0].length));
  const first = ends?.[1] ?? '';
  const last = ends?.[2] ?? '';
  if (first === '' && last !== '') return suffixRange(Number(last), sizeBytes);
  const start = Number(first);
  const end = last === '' ? sizeBytes - 1 : Math.min(Number(last), sizeBytes - 1);
  if (first === '' || start > end || (last !== '' && start > Number(last))) throw unsatisfiable(sizeBytes);
  return { start, end };
}

/** The last bytes; more than there are means all of them. */
function suffixRange(length: number, sizeBytes: number): ByteRange | undefined {
  if (length === 0) throw unsatisfiable(sizeBytes);
  return sizeBytes === 0 ? undefined : { start: Math.max(0, sizeBytes - length), end: sizeBytes - 1 };
}

function unsatisfiable(sizeBytes: number): RegistryError {
  return new RegistryError('RANGE_INVALID', { headers: { 'Content-Range': `bytes */${sizeBytes}` } });
}

/**
 * Reads the Content-Range of a chunk: `<start>-<end>`, without a unit (distribution specification, "Pushing a blob in
 * chunks"). Undefined without the header: the chunk goes to the end of the upload. Whether `start` is the present
 * offset is for the caller to see, and without a Content-Length whether as many bytes come, too.
 * @throws RegistryError 416 RANGE_INVALID for a malformed or backward range, one beyond 2^53, or another length than
 * `contentLength`
 */
export function parseUploadRange(
  contentRange: string | undefined,
  contentLength: number | undefined,
): ByteRange | undefined {
  if (contentRange === undefined) return undefined;
  const ends = UPLOAD_RANGE.exec(contentRange);
  const start = Number(ends?.[1] ?? Number.NaN);
  const end = Number(ends?.[2] ?? Number.NaN);
  if (!(start <= end) || !Number.isSafeInteger(end + 1)) {
    throw new RegistryError('RANGE_INVALID', { message: 'Content-Range must be <first byte>-<last byte>' });
  }
  if (contentLength !== undefined && contentLength !== end - start + 1) {
    throw new RegistryError('RANGE_INVALID', { message: 'Content-Range and Content-Length state different lengths' });
  }
  return { start, end };
}
