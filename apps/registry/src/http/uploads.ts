import {
  OffsetMismatch,
  appendChunk,
  cancelUpload,
  encodeUploadState,
  finishUpload,
  readUploadState,
  startUpload,
  type ChunkPosition,
  type UploadRef,
} from '@entrepot/content';
import {
  RegistryError,
  parseDigest,
  parseQuery,
  parseUploadRange,
  type Digest,
  type DigestAlgorithm,
  type RepositoryName,
} from '@entrepot/oci';
import { actorOf, type Call, type RegistryRoom } from './call.js';
import { findMountSource, needRepositoryId, openRepositoryId } from './repository.js';
import { bodyOf, hasBody, statedLength } from './request-body.js';

/** POST of an upload: a mount (end-11), a whole blob (end-4b), or the opening of a session (end-4a, end-4c). */
export async function postUpload(room: RegistryRoom, call: Call<'uploads'>): Promise<void> {
  const query = parseQuery(call.match.query);
  const digest = optionalDigest(query.first('digest'));
  const mounted = optionalDigest(query.first('mount'));
  const algorithm = parseAlgorithm(query.first('digest-algorithm'), digest);
  checkStatedLength(room, call);
  const repositoryId = await openRepositoryId(room, call);
  if (mounted && (await tryMount(room, call, { repositoryId, digest: mounted }))) {
    sendCreated(call, mounted);
    return;
  }
  const ref = await startUpload(room.push, { repositoryId, accountId: actorOf(call).id, algorithm });
  if (digest && (hasBody(call.request) || isEmptyContent(digest))) {
    await pushWhole(room, call, ref, digest);
    sendCreated(call, digest);
    return;
  }
  sendProgress(room, call, { ref, offsetBytes: 0, status: 202 });
}

/** A client whose blob was refused, or that went away, was told of no session: nobody would go on with it. */
async function pushWhole(room: RegistryRoom, call: Call<'uploads'>, ref: UploadRef, digest: Digest): Promise<void> {
  const body = bodyOf(call.request, call.response);
  try {
    await finishUpload(room.push, { ref, digest, last: { position: { stateOffset: 0 }, body } });
  } catch (error) {
    // Where even that fails the purge sees to it.
    await cancelUpload(room.push, ref).catch(() => undefined);
    throw error;
  }
}

/** PATCH of a session (end-5): a chunk with its Content-Range, or a stream without. */
export async function patchUpload(room: RegistryRoom, call: Call<'upload'>): Promise<void> {
  const { request, response } = call;
  checkStatedLength(room, call);
  const { ref, stateOffset } = await openSession(room, call);
  const position = positionOf(call, stateOffset);
  const offsetBytes = await inOrder(room, call, ref, () =>
    appendChunk(room.push, ref, position, bodyOf(request, response)),
  );
  sendProgress(room, call, { ref, offsetBytes, status: 202 });
}

/** PUT of a session (end-6), with the last chunk or without. */
export async function putUpload(room: RegistryRoom, call: Call<'upload'>): Promise<void> {
  const { request, response, match } = call;
  const digest = optionalDigest(parseQuery(match.query).first('digest'));
  if (!digest) throw new RegistryError('DIGEST_INVALID', { message: 'the digest parameter is missing' });
  checkStatedLength(room, call);
  const { ref, stateOffset } = await openSession(room, call);
  const isEmpty = !hasBody(request) && request.headers['content-range'] === undefined;
  await inOrder(room, call, ref, () =>
    finishUpload(room.push, {
      ref,
      digest,
      ...(!isEmpty && { last: { position: positionOf(call, stateOffset), body: bodyOf(request, response) } }),
    }),
  );
  sendCreated(call, digest);
}

/** GET of a session (end-13). */
export async function getUpload(room: RegistryRoom, call: Call<'upload'>): Promise<void> {
  const { ref } = await openSession(room, call);
  const upload = await room.push.uploads.find(ref);
  if (!upload) throw new RegistryError('BLOB_UPLOAD_UNKNOWN');
  sendProgress(room, call, { ref, offsetBytes: upload.offsetBytes, status: 204 });
}

/** DELETE of a session (end-14). */
export async function deleteUpload(room: RegistryRoom, call: Call<'upload'>): Promise<void> {
  const { ref } = await openSession(room, call);
  await cancelUpload(room.push, ref);
  call.response.writeHead(204).end();
}

/** The session that the signed state belongs to. Another's, a forged and a finished one are all unknown. */
async function openSession(room: RegistryRoom, call: Call<'upload'>): Promise<{ ref: UploadRef; stateOffset: number }> {
  const repositoryId = await needRepositoryId(room, call);
  const ref = { uploadId: call.match.uploadId, repositoryId, accountId: actorOf(call).id };
  const state = parseQuery(call.match.query).first('_state');
  return { ref, stateOffset: readUploadState(ref, state, room.signer) };
}

function positionOf({ request }: Call<'upload'>, stateOffset: number): ChunkPosition {
  const range = parseUploadRange(request.headers['content-range'], statedLength(request));
  return range ? { stateOffset, range } : { stateOffset };
}

/** Bytes out of order are 416 with where the upload stands (distribution specification, "Pushing a blob in chunks"). */
async function inOrder<T>(
  room: RegistryRoom,
  call: Call<'upload'>,
  ref: UploadRef,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof OffsetMismatch)) throw error;
    throw new RegistryError('RANGE_INVALID', {
      message: `the upload stands at byte ${error.offsetBytes}; go on from there`,
      headers: sessionHeaders(room, call.match.name, ref, error.offsetBytes),
    });
  }
}

async function tryMount(
  room: RegistryRoom,
  call: Call<'uploads'>,
  blob: { repositoryId: string; digest: Digest },
): Promise<boolean> {
  const source = await findMountSource(room, call);
  return source !== undefined && room.push.uploads.mount({ ...blob, graceMs: room.rules.graceMs, source });
}

function optionalDigest(text: string | undefined): Digest | undefined {
  return text === undefined ? undefined : parseDigest(text);
}

function parseAlgorithm(text: string | undefined, digest: Digest | undefined): DigestAlgorithm {
  const algorithm = text ?? digest?.slice(0, digest.indexOf(':')) ?? 'sha256';
  if (algorithm === 'sha256' || algorithm === 'sha512') return algorithm;
  throw new RegistryError('DIGEST_INVALID', { message: 'digest-algorithm must be sha256 or sha512' });
}

const EMPTY_CONTENT = new Set<string>([
  'sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
  'sha512:cf83e1357eefb8bdf1542850d66d8007d620e4050b5715dc83f4a921d36ce9ce47d0d13c5d85f2b0ff8318d2877eec2f63b931bd47417a81a538327af927da3e',
]);

/** A POST with a digest and no body is a whole blob only if the blob is empty; else the client means to send it later. */
function isEmptyContent(digest: Digest): boolean {
  return EMPTY_CONTENT.has(digest);
}

function checkStatedLength(room: RegistryRoom, { request }: Call): void {
  const { maxBlobBytes } = room.push;
  if ((statedLength(request) ?? 0) <= maxBlobBytes) return;
  throw new RegistryError('SIZE_INVALID', {
    status: 413,
    message: `a blob may have ${maxBlobBytes} bytes at most here`,
  });
}

function sessionHeaders(
  room: RegistryRoom,
  name: RepositoryName,
  ref: UploadRef,
  offsetBytes: number,
): Record<string, string> {
  const state = encodeUploadState(ref, offsetBytes, room.signer);
  return {
    Location: `/v2/${name}/blobs/uploads/${ref.uploadId}?_state=${state}`,
    Range: `0-${Math.max(0, offsetBytes - 1)}`,
    'Docker-Upload-UUID': ref.uploadId,
  };
}

function sendProgress(
  room: RegistryRoom,
  { response, match }: Call<'upload' | 'uploads'>,
  { ref, offsetBytes, status }: { ref: UploadRef; offsetBytes: number; status: 202 | 204 },
): void {
  const length = status === 202 ? { 'Content-Length': 0 } : {};
  response.writeHead(status, { ...sessionHeaders(room, match.name, ref, offsetBytes), ...length }).end();
}

function sendCreated({ response, match }: Call<'upload' | 'uploads'>, digest: Digest): void {
  const headers = {
    Location: `/v2/${match.name}/blobs/${digest}`,
    'Docker-Content-Digest': digest,
    'Content-Length': 0,
  };
  response.writeHead(201, headers).end();
}
