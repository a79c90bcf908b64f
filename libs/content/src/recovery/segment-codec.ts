import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { gunzip, gzip } from 'node:zlib';
import type { RecoveryName } from '../ports/recovery-log.js';
import type { RecoveryRecord } from '../ports/recovery-source.js';

const FORMAT = 1;
/** More than any document has that was written here: a few MiB of payloads, in base64. */
const MAX_DOCUMENT_BYTES = 256 * 1024 * 1024;

/** The first line of a document. */
export interface DocumentHeader {
  readonly logId: string;
  readonly number: number;
  /** The highest number that was written before: a gap is noticed. */
  readonly previousNumber?: number;
  /** Of a snapshot: its parts, with the digests of their bytes. */
  readonly parts?: readonly SnapshotPart[];
}

export interface SnapshotPart {
  readonly name: RecoveryName;
  readonly sha256: string;
}

export interface RecoveryDocument {
  readonly header: DocumentHeader;
  readonly records: readonly RecoveryRecord[];
}

/** A document of the log that is torn, was changed, or is of a form that is not known here. */
export class DocumentDamaged extends Error {
  override readonly name = 'DocumentDamaged';
}

/** A line of JSON for the header and each record, and one with their digest; compressed. */
export function encodeDocument({ header, records }: RecoveryDocument): Promise<Buffer> {
  const lines = [{ format: FORMAT, ...header }, ...records].map((line) => JSON.stringify(line, payloadAsText));
  const text = `${lines.join('\n')}\n`;
  const end = { isEnd: true, records: records.length, sha256: sha256Of(text) };
  return promisify(gzip)(`${text}${JSON.stringify(end)}\n`);
}

/** Throws `DocumentDamaged` for anything but what `encodeDocument` made. */
export async function decodeDocument(bytes: Uint8Array): Promise<RecoveryDocument> {
  const text = await decompress(bytes);
  const lastStart = text.lastIndexOf('\n', text.length - 2) + 1;
  const end = parseLine(text.slice(lastStart, -1));
  const body = text.slice(0, lastStart);
  if (end['isEnd'] !== true || end['sha256'] !== sha256Of(body))
    throw new DocumentDamaged('its end is missing or wrong');
  const [first = '', ...rest] = body.slice(0, -1).split('\n');
  const { format, ...header } = parseLine(first);
  if (format !== FORMAT) throw new DocumentDamaged(`its format ${String(format)} is not known here`);
  return { header: header as unknown as DocumentHeader, records: rest.map(parseRecord) };
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function decompress(bytes: Uint8Array): Promise<string> {
  try {
    return (await promisify(gunzip)(bytes, { maxOutputLength: MAX_DOCUMENT_BYTES })).toString();
  } catch (error) {
    throw new DocumentDamaged('it is torn', { cause: error });
  }
}

/** A buffer has become its own JSON form by the time that a replacer sees it. */
function payloadAsText(this: unknown, key: string, value: unknown): unknown {
  const given = key === 'payload' ? (this as { readonly payload: unknown }).payload : undefined;
  return given instanceof Uint8Array ? Buffer.from(given).toString('base64') : value;
}

function parseRecord(line: string): RecoveryRecord {
  const record = parseLine(line);
  const { payload } = record;
  return (typeof payload === 'string' ? { ...record, payload: Buffer.from(payload, 'base64') } : record) as never;
}

function parseLine(line: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value === 'object' && value !== null) return value as Record<string, unknown>;
  } catch {
    // Said below, as for any other line that is none.
  }
  throw new DocumentDamaged('a line is not JSON');
}
