import type { IncomingMessage } from 'node:http';
import { bareMediaType, RegistryError } from '@entrepot/oci';

const FORM = 'application/x-www-form-urlencoded';
const MAX_FORM_BYTES = 64 * 1024;

/** Reads a form of at most 64 KiB. Rejects with 415 for other types and 413 for larger bodies. */
export async function readForm(request: IncomingMessage): Promise<URLSearchParams> {
  if (bareMediaType(request.headers['content-type'] ?? '') !== FORM) {
    throw new RegistryError('UNSUPPORTED', { status: 415, message: `the body must be ${FORM}` });
  }
  const tooLarge = new RegistryError('SIZE_INVALID', { status: 413, message: 'the form is larger than 64 KiB' });
  if (Number(request.headers['content-length'] ?? 0) > MAX_FORM_BYTES) throw tooLarge;
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Leaving it half read must not cut the connection: the answer goes out on it.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    sizeBytes += chunk.length;
    if (sizeBytes > MAX_FORM_BYTES) throw tooLarge;
    chunks.push(chunk);
  }
  return new URLSearchParams(Buffer.concat(chunks).toString('utf8'));
}
