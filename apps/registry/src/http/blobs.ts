import { deleteBlob } from '@entrepot/content';
import { MEDIA_TYPES, RegistryError, parseBlobRange, type Digest } from '@entrepot/oci';
import { actorOf, type Call, type RegistryRoom } from './call.js';
import { deliverBlob } from './deliver-blob.js';
import { IMMUTABLE, INERT_HEADERS, matchesEtag } from './replies.js';
import { absentIn, mayLag, needRepositoryId } from './repository.js';

/** GET and HEAD of a blob (end-2): whole or one range, as stored, never compressed. */
export async function getBlob(room: RegistryRoom, call: Call<'blob'>): Promise<void> {
  const { request, response, match } = call;
  const { digest } = match;
  const repositoryId = await needRepositoryId(room, call);
  const isGet = match.method === 'GET';
  // Who is told by HEAD that a blob is there will name it in a manifest in place of sending it.
  const blob = isGet
    ? await room.reader.blob(repositoryId, digest, { mayLag: mayLag(call) })
    : await room.reader.promisedBlob(repositoryId, digest, room.rules.graceMs);
  if (!blob) throw await absentIn(room, call, new RegistryError('BLOB_UNKNOWN', { detail: { digest } }));
  const { objectKey, sizeBytes } = blob;
  const headers = blobHeaders(digest);
  if (matchesEtag(request, digest)) {
    response.writeHead(304, headers).end();
    return;
  }
  const range = isGet && isRangeValid(call) ? parseBlobRange(request.headers.range, sizeBytes) : undefined;
  if (!isGet || sizeBytes === 0) {
    // Never by a detour: what HEAD asks for is known here, and a link is signed for GET.
    response.writeHead(200, { ...headers, 'Content-Length': sizeBytes }).end();
    return;
  }
  const findKey = async () => (await room.reader.blob(repositoryId, digest))?.objectKey;
  await deliverBlob(room.delivery, call, { blob: { objectKey, digest, sizeBytes }, range, headers, findKey });
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
