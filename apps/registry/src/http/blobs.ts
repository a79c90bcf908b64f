import { deleteBlob } from '@entrepot/content';
import { MEDIA_TYPES, RegistryError, parseBlobRange, type ByteRange, type Digest } from '@entrepot/oci';
import { actorOf, type Call, type RegistryRoom } from './call.js';
import { IMMUTABLE, INERT_HEADERS, matchesEtag } from './replies.js';
import { absentIn, needRepositoryId } from './repository.js';

/** GET and HEAD of a blob (end-2): whole or one range, as stored, never compressed. */
export async function getBlob(room: RegistryRoom, call: Call<'blob'>): Promise<void> {
  const { request, response, match } = call;
  const { digest } = match;
  const blob = await room.reader.blob(await needRepositoryId(room, call), digest);
  if (!blob) throw await absentIn(room, call, new RegistryError('BLOB_UNKNOWN', { detail: { digest } }));
  const { objectKey, sizeBytes } = blob;
  const headers = blobHeaders(digest);
  if (matchesEtag(request, digest)) {
    response.writeHead(304, headers).end();
    return;
  }
  const range =
    match.method === 'GET' && isRangeValid(call) ? parseBlobRange(request.headers.range, sizeBytes) : undefined;
  const { start, end } = range ?? { start: 0, end: sizeBytes - 1 };
  const length = end - start + 1;
  const contentRange = range && { 'Content-Range': `bytes ${start}-${end}/${sizeBytes}` };
  const head = { ...headers, ...contentRange, 'Content-Length': length };
  if (match.method === 'HEAD' || length === 0) {
    response.writeHead(200, head).end();
    return;
  }
  await streamBlob(room, call, { objectKey, range: { start, end }, status: range ? 206 : 200, head });
}

/** A range holds only for the content that the client has a part of (RFC 9110, 13.1.5). */
function isRangeValid({ request, match }: Call<'blob'>): boolean {
  const condition = request.headers['if-range'];
  return condition === undefined || condition === `"${match.digest}"`;
}

function blobHeaders(digest: Digest): Record<string, string | number> {
  return {
    'Content-Type': MEDIA_TYPES.blob,
    'Docker-Content-Digest': digest,
    ETag: `"${digest}"`,
    'Cache-Control': IMMUTABLE,
    'Accept-Ranges': 'bytes',
    'Content-Disposition': 'attachment',
    ...INERT_HEADERS,
  };
}

interface BlobAnswer {
  readonly objectKey: Parameters<RegistryRoom['store']['read']>[0];
  readonly range: ByteRange;
  readonly status: number;
  readonly head: Record<string, string | number>;
}

/** The head goes out with the first bytes, so that a store that cannot give them is still an answer and not a cut. */
async function streamBlob(room: RegistryRoom, { request, response }: Call<'blob'>, answer: BlobAnswer): Promise<void> {
  let giveUp: ((reason: Error) => void) | undefined;
  // An answer that waits for an earlier one of a pipelining client has no socket to hear from: only the request ends then.
  const onClose = (): void => giveUp?.(new Error('the client went away'));
  request.once('close', onClose);
  const send = (chunk: Uint8Array): Promise<void> => {
    if (!response.headersSent) response.writeHead(answer.status, answer.head);
    return new Promise((resolve, reject) => {
      giveUp = reject;
      if (request.destroyed) onClose();
      // The callback comes when the socket has taken the bytes, or is gone: back-pressure, and the end of reading.
      else response.write(chunk, (error) => (error ? reject(error) : resolve()));
    });
  };
  try {
    await room.store.read(answer.objectKey, answer.range, send);
    response.end();
  } catch (error) {
    // The client left in the middle: nobody to answer, and nothing wrong here.
    if (!response.destroyed) throw error;
  } finally {
    request.off('close', onClose);
  }
}

/** DELETE of a blob (end-10). */
export async function removeBlob(room: RegistryRoom, call: Call<'blob'>): Promise<void> {
  const { digest, name } = call.match;
  const repositoryId = await needRepositoryId(room, call);
  const removal = { repositoryId, repositoryName: name, actor: actorOf(call), graceMs: room.rules.graceMs };
  try {
    await deleteBlob(room.work, removal, digest);
  } catch (error) {
    throw error instanceof RegistryError && error.code === 'BLOB_UNKNOWN' ? await absentIn(room, call, error) : error;
  }
  call.response.writeHead(202, { 'Content-Length': 0 }).end();
}
