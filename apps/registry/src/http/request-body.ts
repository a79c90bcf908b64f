import type { IncomingMessage, ServerResponse } from 'node:http';
import { RegistryError } from '@entrepot/oci';
import { continueUpload } from '@entrepot/runtime';
import { collectingYoung } from './collect-young.js';

/** Length that the client stated, undefined for a stream. */
export function statedLength(request: IncomingMessage): number | undefined {
  const header = request.headers['content-length'];
  return header === undefined ? undefined : Number(header);
}

/** Whether bytes may follow the head of the request. */
export function hasBody(request: IncomingMessage): boolean {
  return request.headers['transfer-encoding'] !== undefined || (statedLength(request) ?? 0) > 0;
}

/** The body as it comes. Leaving it half read does not cut the connection: the answer must still go out. */
export function bodyOf(request: IncomingMessage, response: ServerResponse): AsyncIterable<Uint8Array> {
  continueUpload(request, response);
  return collectingYoung(request.iterator({ destroyOnReturn: false }));
}

/** The whole body, refused as 413 SIZE_INVALID as soon as it is known to be larger than `limitBytes`. */
export async function readBody(
  request: IncomingMessage,
  response: ServerResponse,
  limitBytes: number,
): Promise<Buffer> {
  if ((statedLength(request) ?? 0) > limitBytes) throw tooLarge(limitBytes);
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of bodyOf(request, response)) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > limitBytes) throw tooLarge(limitBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

function tooLarge(limitBytes: number): RegistryError {
  return new RegistryError('SIZE_INVALID', {
    status: 413,
    message: `a manifest may have ${limitBytes} bytes at most here (ENTREPOT_CONTENT_MAX_MANIFEST)`,
  });
}
