import { RegistryError, digestAlgorithm, type Digest } from '@entrepot/oci';
import type { ObjectWriter } from '../ports/blob-store.js';
import type { Upload, UploadRef } from '../ports/uploads.js';
import { appendBytes, blobTooLarge, isDoubtful, isRefusal, type Appended } from './append-bytes.js';
import type { Bytes, PushRoom } from './push-room.js';
import { LeaseLost, type HeldLease } from './held-lease.js';
import { bodyAt, leaseUpload, type ChunkPosition } from './lease-upload.js';
import { unlessLost } from './lost-object.js';
import { RunningHash } from './running-hash.js';

export interface FinishUpload {
  readonly ref: UploadRef;
  readonly digest: Digest;
  /** The last chunk, with its place; absent where the request has no body. */
  readonly last?: { readonly position: ChunkPosition; readonly body: Bytes };
}

/**
 * Completes an upload (end-6): appends what the request carries, compares the digest with the stored bytes, makes the
 * object durable, and only then commits. Rejects with DIGEST_INVALID where they differ. A request that fails leaves the
 * upload as it was, so that it can be sent again as it was; one that was committed before, by whatever process, succeeds
 * once more.
 */
export async function finishUpload(room: PushRoom, finish: FinishUpload): Promise<void> {
  try {
    await unlessLost(() => completeUpload(room, finish));
  } catch (error) {
    if (!isGone(error)) throw error;
    const committed = await room.uploads.findFinished(finish.ref, room.graceMs);
    if (committed === undefined) throw error;
    checkDigest(finish.digest, committed);
    // Who sends its bytes again reads the answer after the last of them.
    if (!(error instanceof LeaseLost)) await discard(room, finish);
  }
}

async function completeUpload(room: PushRoom, { ref, digest, last }: FinishUpload): Promise<void> {
  const held = await leaseUpload(room, ref, last?.position);
  const appended = await appendBytes(room, held, {
    body: last ? bodyAt(last.position, last.body) : nothing(),
    keeps: 'nothing',
    isNoted: false,
    algorithm: digestAlgorithm(digest),
  });
  try {
    const stored = await held.during(() => storedDigest(appended, { upload: held.upload, digest }));
    checkDigest(digest, stored);
    await held.ensure();
    await commit(room, ref, held, { digest, writer: appended.writer });
  } catch (error) {
    await appended.writer.abandon();
    await held.giveUp(isRefusal(error)).catch(() => undefined);
    throw error;
  }
}

/** Another request may have ended the upload before this one, or taken the lease from it and ended the upload then. */
function isGone(error: unknown): boolean {
  return error instanceof LeaseLost || (error instanceof RegistryError && error.code === 'BLOB_UPLOAD_UNKNOWN');
}

async function discard({ maxBlobBytes }: PushRoom, { last }: FinishUpload): Promise<void> {
  let sizeBytes = 0;
  for await (const chunk of last?.body ?? nothing()) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > maxBlobBytes) throw blobTooLarge(maxBlobBytes);
  }
}

function checkDigest(expected: Digest, received: Digest): void {
  if (received === expected) return;
  throw new RegistryError('DIGEST_INVALID', {
    message: 'the bytes received do not have the digest that was given',
    detail: { expected, received },
  });
}

/** The body of a request without one. */
async function* nothing(): Bytes {}

/** Digest of all bytes of the upload by the algorithm of `digest`. */
async function storedDigest(
  { writer, hash }: Appended,
  { upload, digest }: { upload: Upload; digest: Digest },
): Promise<Digest> {
  const algorithm = digestAlgorithm(digest);
  if (hash?.algorithm === algorithm) return hash.digest();
  const isKnown = upload.digest !== undefined && upload.algorithm === algorithm && !isDoubtful(upload, writer);
  if (isKnown && writer.offsetBytes === upload.offsetBytes) return upload.digest;
  return readBack(writer, new RunningHash(algorithm));
}

async function readBack(writer: ObjectWriter, hash: RunningHash): Promise<Digest> {
  await writer.readBack(async (chunk) => hash.update(chunk));
  return hash.digest();
}

async function commit(
  room: PushRoom,
  ref: UploadRef,
  held: HeldLease,
  { digest, writer }: { digest: Digest; writer: ObjectWriter },
): Promise<void> {
  const sizeBytes = writer.offsetBytes;
  const record = { digest, sizeBytes, createdAt: new Date().toISOString() };
  const { key, residue } = await held.during(() => writer.complete(record));
  const isOurs = await room.uploads.finish({
    ...held.lease,
    repositoryId: ref.repositoryId,
    objectKey: key,
    ...(residue && { residueKey: residue }),
    digest,
    sizeBytes,
    graceMs: room.graceMs,
  });
  room.hashes.drop(ref.uploadId);
  if (!isOurs) throw new LeaseLost();
}
