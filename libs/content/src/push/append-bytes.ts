import { RegistryError } from '@entrepot/oci';
import { ObjectMissing, type BlobStore, type ObjectWriter } from '../ports/blob-store.js';
import type { Lease, Upload, UploadProgress, Uploads } from '../ports/uploads.js';
import { RunningHash, type RunningHashes } from './running-hash.js';

/** What the push operations work with. */
export interface PushRoom {
  readonly uploads: Uploads;
  readonly store: BlobStore;
  readonly hashes: RunningHashes;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxBlobBytes: number;
  readonly maxUploads: number;
  /** Random, unguessable. */
  newId(): string;
}

export type Bytes = AsyncIterable<Uint8Array>;

/** An upload whose bytes were written; the lease is still held. */
export interface Appended {
  readonly writer: ObjectWriter;
  /** Undefined where this process did not see all bytes since the first. */
  readonly hash: RunningHash | undefined;
}

/** The lease was lost to another request while bytes flowed: this one must not speak for the upload any more. */
export class LeaseLost extends RegistryError {
  constructor() {
    super('BLOB_UPLOAD_INVALID', {
      status: 409,
      message: 'another request has taken this upload over; ask for its status and go on from there',
      headers: { 'Retry-After': '1' },
    });
  }
}

/**
 * Writes the body behind what the upload holds, hashing on the way. While bytes flow the lease is renewed at a third of
 * its length, each time with what is durable by then. On failure the durable part is noted and the lease given back.
 */
export async function appendBytes(room: PushRoom, lease: Lease, upload: Upload, body: Bytes): Promise<Appended> {
  const hash =
    upload.offsetBytes === 0
      ? new RunningHash(upload.algorithm)
      : room.hashes.take(lease.uploadId, upload.algorithm, upload.offsetBytes);
  const writer = await openWriter(room, lease, upload);
  try {
    await pump(room, lease, { writer, hash }, body);
  } catch (error) {
    if (error instanceof LeaseLost) await writer.abandon();
    else await suspendAfterFailure(room, lease, { writer, hash });
    throw error;
  }
  return { writer, hash };
}

/** Makes the bytes durable, notes them and gives the lease back. */
export async function suspend(room: PushRoom, lease: Lease, { writer, hash }: Appended): Promise<number> {
  const offsetBytes = await writer.suspend();
  if (!(await room.uploads.release(lease, progressOf(offsetBytes, hash)))) throw new LeaseLost();
  if (hash) room.hashes.keep(lease.uploadId, hash);
  return offsetBytes;
}

async function openWriter(room: PushRoom, lease: Lease, upload: Upload): Promise<ObjectWriter> {
  try {
    return await room.store.write(upload.objectKey, upload.offsetBytes);
  } catch (error) {
    await room.uploads.release(lease);
    // The row speaks of bytes that the store has lost: the client's only way on is a new upload.
    if (error instanceof ObjectMissing) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { cause: error });
    throw error;
  }
}

async function pump(room: PushRoom, lease: Lease, { writer, hash }: Appended, body: Bytes): Promise<void> {
  let renewAt = Date.now() + room.leaseMs / 3;
  let sizeBytes = writer.offsetBytes;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > room.maxBlobBytes) throw blobTooLarge(room.maxBlobBytes);
    // Before the write, not after it: a sender that was silent for a lease's length may have lost it meanwhile.
    if (Date.now() >= renewAt) {
      renewAt = Date.now() + room.leaseMs / 3;
      await checkpoint(room, lease, { writer, hash });
    }
    hash?.update(chunk);
    await writer.write(chunk);
  }
}

async function checkpoint(room: PushRoom, lease: Lease, { writer, hash }: Appended): Promise<void> {
  const isOurs = await room.uploads.checkpoint(lease, progressOf(await writer.flush(), hash), room.leaseMs);
  if (!isOurs) throw new LeaseLost();
}

function progressOf(offsetBytes: number, hash: RunningHash | undefined): UploadProgress {
  return hash?.offsetBytes === offsetBytes ? { offsetBytes, digest: hash.digest() } : { offsetBytes };
}

export function blobTooLarge(maxBlobBytes: number): RegistryError {
  return new RegistryError('SIZE_INVALID', {
    status: 413,
    message: `a blob may have ${maxBlobBytes} bytes at most here (ENTREPOT_CONTENT_MAX_BLOB_BYTES)`,
  });
}

/** Keeps what can be kept; the failure that led here is the one to report. */
async function suspendAfterFailure(room: PushRoom, lease: Lease, appended: Appended): Promise<void> {
  try {
    await suspend(room, lease, appended);
  } catch {
    await room.uploads.release(lease).catch(() => false);
  }
}
