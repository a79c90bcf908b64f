import { RegistryError, digestAlgorithm, type Digest } from '@entrepot/oci';
import type { ObjectWriter } from '../ports/blob-store.js';
import type { Upload, UploadRef } from '../ports/uploads.js';
import { appendBytes, isDoubtful, type Appended } from './append-bytes.js';
import type { Bytes, PushRoom } from './push-room.js';
import { LeaseLost, type HeldLease } from './held-lease.js';
import { bodyAt, leaseUpload, type ChunkPosition } from './lease-upload.js';
import { RunningHash } from './running-hash.js';

export interface FinishUpload {
  readonly ref: UploadRef;
  readonly digest: Digest;
  /** The last chunk, with its place; absent where the request has no body. */
  readonly last?: { readonly position: ChunkPosition; readonly body: Bytes };
}

/**
 * Completes an upload (end-6): appends what the request carries, compares the digest with the stored bytes, makes the
 * object durable, and only then commits. Rejects with DIGEST_INVALID where they differ; the upload stays as it was
 * before the request.
 */
export async function finishUpload(room: PushRoom, { ref, digest, last }: FinishUpload): Promise<void> {
  const { held, upload } = await leaseUpload(room, ref, last?.position);
  const hashingBy = upload.offsetBytes === 0 ? { ...upload, algorithm: digestAlgorithm(digest) } : upload;
  const appended = await appendBytes(room, held, hashingBy, last ? bodyAt(last.position, last.body) : nothing());
  try {
    checkDigest(digest, await storedDigest(appended, { upload, digest }));
    await held.ensure();
    await commit(room, ref, held, { digest, writer: appended.writer });
  } catch (error) {
    await abandon(held, appended.writer);
    throw error;
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

/** Gives the lease back, if it is still ours, with the row as it was: what was written is cut off by the next writer. */
async function abandon(held: HeldLease, writer: ObjectWriter): Promise<void> {
  await writer.abandon();
  await held.release().catch(() => undefined);
}

async function commit(
  room: PushRoom,
  ref: UploadRef,
  held: HeldLease,
  { digest, writer }: { digest: Digest; writer: ObjectWriter },
): Promise<void> {
  const sizeBytes = writer.offsetBytes;
  const { key, residue } = await writer.complete({ digest, sizeBytes, createdAt: new Date().toISOString() });
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
