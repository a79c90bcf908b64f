import { mediaTypes } from '../data/media-types.js';
import { Mismatch, Unsupported } from '../ledger/outcome.js';
import { describe, expectReply, headerOf, locationOf, requireLocation } from '../wire/expect.js';
import type { WireReply, WireRequest } from '../wire/exchange.js';
import { target, withQuery } from '../wire/target.js';
import type { Query } from '../wire/target.js';
import { expectDigestHeader } from './trial.js';
import type { Trial } from './trial.js';

/** A blob on its way into a repository. */
export interface Upload {
  readonly repository: string;
  readonly digest: string;
  readonly bytes: Buffer;
  /** The bytes are not those of the digest: the registry must refuse them with 400. */
  readonly isCorrupt?: boolean;
}

const octets = { 'Content-Type': mediaTypes.octets };

/** Starts an upload session (end-4a) and returns the reply that opened it. */
export async function openUpload(trial: Trial, repository: string): Promise<WireReply> {
  const url = target(trial.registry, repository, 'blobs/uploads/');
  const reply = await trial.client.send({ method: 'POST', url });
  expectReply(reply, { status: [202], headers: { Location: null } });
  return reply;
}

/** POST, then PUT with all bytes (end-4a, end-6). */
export async function postThenPut(trial: Trial, upload: Upload): Promise<void> {
  const opened = await openUpload(trial, upload.repository);
  await finishUpload(trial, upload, { location: requireLocation(opened), ...bodyOf(upload.bytes) });
}

/** One POST with the bytes and their digest (end-4b); a registry may ask for a PUT instead, which skips the assertion. */
export async function postOnly(trial: Trial, upload: Upload): Promise<void> {
  const endpoint = target(trial.registry, upload.repository, 'blobs/uploads/');
  const url = withQuery(endpoint, { digest: upload.digest });
  const reply = await trial.client.send({ method: 'POST', url, headers: octets, ...bodyOf(upload.bytes) });
  if (reply.status === 202) {
    const step = { location: requireLocation(reply), ...bodyOf(upload.bytes) };
    expectReply(await putLast(trial, upload, step), { status: [upload.isCorrupt === true ? 400 : 201] });
    throw new Unsupported('the bytes of the POST were ignored and asked for again');
  }
  await expectFinished(trial, upload, reply);
}

/** POST, one PATCH without any length, PUT (end-5 streamed). */
export async function patchStream(trial: Trial, upload: Upload): Promise<void> {
  const url = requireLocation(await openUpload(trial, upload.repository));
  const body = { body: upload.bytes, isChunked: true };
  const reply = await trial.client.send({ method: 'PATCH', url, headers: octets, ...body });
  expectReply(reply, { status: [202] });
  await finishUpload(trial, upload, { location: locationOf(reply) ?? url });
}

/** Where the last bytes of an upload go, if any are left. */
export interface LastStep {
  readonly location: URL;
  readonly body?: Buffer;
  readonly isChunked?: boolean;
  /** `first-last` of the body in the blob. */
  readonly contentRange?: string;
}

/** PUT with the digest (end-6), then a look at the Location it answers with. */
export async function finishUpload(trial: Trial, upload: Upload, step: LastStep): Promise<void> {
  await expectFinished(trial, upload, await putLast(trial, upload, step));
}

function putLast(trial: Trial, upload: Upload, step: LastStep): Promise<WireReply> {
  const { location, contentRange, ...body } = step;
  const range = contentRange === undefined ? {} : { 'Content-Range': contentRange };
  const url = withQuery(location, { digest: upload.digest });
  return trial.client.send({ method: 'PUT', url, headers: { ...octets, ...range }, ...body });
}

async function expectFinished(trial: Trial, upload: Upload, reply: WireReply): Promise<void> {
  if (upload.isCorrupt === true) return expectReply(reply, { status: [400] });
  expectReply(reply, { status: [201], headers: { Location: null } });
  expectDigestHeader(reply, upload.digest, trial.features.digestHeader);
  await expectBlobAt(trial, requireLocation(reply), upload.bytes);
}

async function expectBlobAt(trial: Trial, url: URL, bytes: Buffer): Promise<void> {
  expectReply(await trial.client.send({ method: 'GET', url }), { status: [200], body: bytes });
}

/** Mounts a blob (end-11), by name of its repository or from anywhere. A 202 is followed by an ordinary PUT and skips. */
export async function mountBlob(trial: Trial, upload: Upload, source?: string): Promise<void> {
  const query: Query = { mount: upload.digest, ...(source !== undefined && { from: source }) };
  const url = withQuery(target(trial.registry, upload.repository, 'blobs/uploads/'), query);
  const reply = await trial.client.send({ method: 'POST', url });
  expectReply(reply, { status: [201, 202], headers: { Location: null } });
  if (reply.status === 202) {
    await finishUpload(trial, upload, { location: requireLocation(reply), ...bodyOf(upload.bytes) });
    throw new Unsupported('the mount was not done; the blob had to be uploaded');
  }
  expectDigestHeader(reply, upload.digest, false);
  await expectBlobAt(trial, requireLocation(reply), upload.bytes);
}

/** Opens an upload and cancels it (end-14). */
export async function cancelUpload(trial: Trial, repository: string): Promise<void> {
  const url = requireLocation(await openUpload(trial, repository));
  expectReply(await trial.client.send({ method: 'DELETE', url }), { status: [204] });
}

/** How the chunks of an upload are sent. */
export interface ChunkPlan {
  /** The last chunk travels in the PUT. */
  readonly endsWithPut?: boolean;
  /** Before each right chunk a wrong one is offered, which the registry must refuse and survive. */
  readonly offersWrongChunks?: boolean;
}

const smallestChunkBytes = 1024;

/** POST, PATCH with Content-Range for each of up to three chunks, PUT (end-5, end-6, end-13). */
export async function patchInChunks(trial: Trial, upload: Upload, plan: ChunkPlan = {}): Promise<void> {
  const opened = await openUpload(trial, upload.repository);
  const total = upload.bytes.length;
  const wanted = Math.max(Math.floor(total / 3) + 1, chunkMinimumBytes(opened), smallestChunkBytes);
  let location = requireLocation(opened);
  for (let start = 0; start < total; start += wanted) {
    const chunk = { start, size: Math.min(wanted, total) };
    if (plan.offersWrongChunks === true) location = await offerWrongChunk(trial, upload, { ...chunk, location, plan });
    const request = chunkRequest(upload.bytes, start, chunk.size);
    if (plan.endsWithPut === true && start + wanted >= total) {
      return finishUpload(trial, upload, { location, ...request });
    }
    const reply = await sendChunk(trial, 'PATCH', location, request);
    expectReply(reply, { status: [202] });
    location = locationOf(reply) ?? location;
  }
  await finishUpload(trial, upload, { location });
}

/** The OCI-Chunk-Min-Length of the reply that opened an upload, or 0. */
export function chunkMinimumBytes(opened: WireReply): number {
  const value = headerOf(opened, 'OCI-Chunk-Min-Length') ?? '0';
  if (!/^\d+$/.test(value)) throw new Mismatch(`${describe(opened)}: OCI-Chunk-Min-Length is ${value}`);
  return Number(value);
}

type ChunkRequest = { readonly body: Buffer; readonly contentRange: string };

function chunkRequest(bytes: Buffer, start: number, size: number): ChunkRequest {
  const body = bytes.subarray(start, start + size);
  return { body, contentRange: `${start}-${start + body.length - 1}` };
}

function sendChunk(trial: Trial, method: string, url: URL, chunk: ChunkRequest): Promise<WireReply> {
  const headers = { ...octets, 'Content-Range': chunk.contentRange };
  return trial.client.send({ method, url, headers, body: chunk.body });
}

type WrongChunk = { readonly start: number; readonly size: number; readonly location: URL; readonly plan: ChunkPlan };

/**
 * Sends a chunk that does not follow the bytes already there: one further on, or the first one again. The registry must
 * refuse it with 416 and then tell, on GET of the very URL that failed, where it stands. Returns where to go on.
 */
async function offerWrongChunk(trial: Trial, upload: Upload, wrong: WrongChunk): Promise<URL> {
  const total = upload.bytes.length;
  const ahead = wrong.start + wrong.size;
  const chunk = chunkRequest(upload.bytes, ahead >= total ? 0 : ahead, wrong.size);
  const isLast = chunk.contentRange.endsWith(`-${total - 1}`);
  const isPut = wrong.plan.endsWithPut === true && isLast;
  const url = isPut ? withQuery(wrong.location, { digest: upload.digest }) : wrong.location;
  const refused = await sendChunk(trial, isPut ? 'PUT' : 'PATCH', url, chunk);
  expectReply(refused, { status: [416] });
  const progress = await trial.client.send({ method: 'GET', url });
  expectReply(progress, { status: [204] });
  const range = headerOf(progress, 'Range') ?? '';
  const last = /^0-(\d+)$/.exec(range)?.[1];
  // With nothing stored the last byte is ambiguous: `0-0` is what registries send.
  if (last === undefined || (wrong.start > 0 && Number(last) !== wrong.start - 1)) {
    throw new Mismatch(`${describe(progress)}: Range is "${range}", expected "0-${Math.max(wrong.start - 1, 0)}"`);
  }
  return locationOf(progress) ?? locationOf(refused) ?? wrong.location;
}

/** An empty body is announced as chunked, not as a length of 0: that is what Go makes of an empty reader. */
function bodyOf(bytes: Buffer): Pick<WireRequest, 'body' | 'isChunked'> {
  return bytes.length === 0 ? { body: bytes, isChunked: true } : { body: bytes };
}
