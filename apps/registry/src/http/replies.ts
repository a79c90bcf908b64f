import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Digest } from '@entrepot/oci';

/** Content under a digest never changes; it may be private, so that only the client itself may keep it. */
export const IMMUTABLE = 'private, max-age=31536000, immutable';

/** Blobs are data of strangers: no browser may take them for a page of ours (security checklist K-10). */
export const INERT_HEADERS = {
  'X-Content-Type-Options': 'nosniff',
  'Content-Security-Policy': "default-src 'none'; sandbox",
} as const;

/** An entity tag is the digest in quotes; one without quotes is accepted as well. */
export function matchesEtag(request: IncomingMessage, digest: Digest): boolean {
  const header = request.headers['if-none-match'];
  if (header === undefined) return false;
  return header.split(',').some((tag) => {
    const bare = tag.trim().replace(/^W\//, '').replaceAll('"', '');
    return bare === digest || bare === '*';
  });
}

/** JSON of a listing; the body is left out for HEAD. */
export function sendJson(
  { request, response }: { request: IncomingMessage; response: ServerResponse },
  value: unknown,
  headers: Readonly<Record<string, string>> = {},
): void {
  const body = Buffer.from(JSON.stringify(value));
  response.writeHead(200, { 'Content-Type': 'application/json', ...headers, 'Content-Length': body.byteLength });
  response.end(request.method === 'HEAD' ? undefined : body);
}
