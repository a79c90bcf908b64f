import { RegistryError } from '@entrepot/oci';
import { ObjectMissing, type DurableState, type ObjectWriter } from '../ports/blob-store.js';
import type { Upload, UploadProgress } from '../ports/uploads.js';
import { LeaseLost, type HeldLease } from './held-lease.js';
import { OffsetMismatch } from './lease-upload.js';
import type { Bytes, PushRoom } from './push-room.js';
import { RunningHash } from './running-hash.js';

/** An upload whose bytes were written; the lease is still held. */
export interface Appended {
  readonly writer: ObjectWriter;
  /** Undefined where this process did not see all bytes since the first. */
  readonly hash: RunningHash | undefined;
}

/**
 * Writes the body behind what the upload holds, hashing on the way. While bytes flow the lease is renewed at a third of
 * its length, each time with what is durable by then. On failure the durable part is noted and the lease given back; of
 * bytes out of their range nothing is kept.
 */
export async function appendBytes(room: PushRoom, held: HeldLease, upload: Upload, body: Bytes): Promise<Appended> {
  const kept = room.hashes.take(held.lease.uploadId, upload.algorithm, upload.offsetBytes);
  const writer = await openWriter(room, held, upload);
  const appended = { writer, hash: hashFor(upload, writer, kept) };
  try {
    await pump(room, held, appended, body);
    await held.ensure();
  } catch (error) {
    await keepWhatCame(room, held, appended, error);
    throw error;
  }
  return appended;
}

/**
 * The hash to go on with. None where this process has not seen the bytes, or where those that are stored may be others:
 * then they are read back at the end. From the first byte on an object is a new one, which nobody else can reach.
 */
function hashFor(upload: Upload, writer: ObjectWriter, kept: RunningHash | undefined): RunningHash | undefined {
  if (upload.offsetBytes === 0) return new RunningHash(upload.algorithm);
  return isDoubtful(upload, writer) ? undefined : kept;
}

/** What is stored may differ from what was hashed: only bytes that were read back count. */
export function isDoubtful(upload: Upload, writer: ObjectWriter): boolean {
  return upload.wasAbandoned === true || writer.isDoubtful;
}

/** Makes the bytes durable, notes them and gives the lease back. */
export async function suspend(room: PushRoom, held: HeldLease, { writer, hash }: Appended): Promise<number> {
  const state = await writer.suspend();
  await held.release(progressOf(state, hash));
  if (hash) room.hashes.keep(held.lease.uploadId, hash);
  return state.offsetBytes;
}

async function openWriter(room: PushRoom, held: HeldLease, upload: Upload): Promise<ObjectWriter> {
  // Opening cuts off what lies beyond the offset: not what another one wrote while this process stood still.
  await held.ensure();
  try {
    return await room.store.write(upload.objectKey, upload);
  } catch (error) {
    await held.release();
    // The row speaks of bytes that the store has lost: the client's only way on is a new upload.
    if (error instanceof ObjectMissing) throw new RegistryError('BLOB_UPLOAD_UNKNOWN', { cause: error });
    throw error;
  }
}

async function pump(room: PushRoom, held: HeldLease, { writer, hash }: Appended, body: Bytes): Promise<void> {
  let sizeBytes = writer.offsetBytes;
  for await (const chunk of body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > room.maxBlobBytes) throw blobTooLarge(room.maxBlobBytes);
    if (held.isDue) {
      await held.ensure();
      await held.renew(progressOf(await writer.flush(), hash));
    }
    hash?.update(chunk);
    await writer.write(chunk);
  }
}

function progressOf(state: DurableState, hash: RunningHash | undefined): UploadProgress {
  return hash?.offsetBytes === state.offsetBytes ? { ...state, digest: hash.digest() } : state;
}

export function blobTooLarge(maxBlobBytes: number): RegistryError {
  return new RegistryError('SIZE_INVALID', {
    status: 413,
    message: `a blob may have ${maxBlobBytes} bytes at most here (ENTREPOT_CONTENT_MAX_BLOB)`,
  });
}

/** Keeps what can be kept; the failure that led here is the one to report. */
async function keepWhatCame(room: PushRoom, held: HeldLease, appended: Appended, cause: unknown): Promise<void> {
  try {
    if (cause instanceof LeaseLost) throw cause;
    await held.ensure();
    if (!(cause instanceof OffsetMismatch)) return void (await suspend(room, held, appended));
    await appended.writer.abandon();
    await held.release();
  } catch {
    await appended.writer.abandon();
  }
}
