import { RegistryError, type DigestAlgorithm } from '@entrepot/oci';
import type { DurableState, ObjectWriter } from '../ports/blob-store.js';
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

export interface Append {
  readonly body: Bytes;
  /** What remains of a request that fails: the bytes that came, or nothing, so that it can be sent again as it was. */
  readonly keeps: 'what-came' | 'nothing';
  /** Whether its bytes are noted while they come, so that little is lost with the process. Not where all of them may be refused. */
  readonly isNoted: boolean;
  /** To hash by where the object begins here; else the upload's. */
  readonly algorithm?: DigestAlgorithm;
}

/**
 * Writes the body behind what the upload holds, hashing on the way. While bytes flow the lease is renewed at a third of
 * its length, each time with what is durable by then, if that is noted. On failure the lease is given back; of bytes out
 * of their range nothing is ever kept.
 */
export async function appendBytes(room: PushRoom, held: HeldLease, append: Append): Promise<Appended> {
  const { upload } = held;
  const kept = room.hashes.take(held.lease.uploadId, upload.algorithm, upload.offsetBytes);
  const writer = await openWriter(room, held);
  const hash = isDoubtful(upload, writer) ? undefined : kept;
  const appended = { writer, hash: upload.offsetBytes === 0 ? newHash(upload, append) : hash };
  try {
    await pump(room, held, appended, append);
    await held.ensure();
  } catch (error) {
    await keepWhatCame(room, held, appended, { append, cause: error });
    throw error;
  }
  return appended;
}

/** From the first byte on an object is a new one, which nobody else can reach. */
function newHash(upload: Upload, { algorithm }: Append): RunningHash {
  return new RunningHash(algorithm ?? upload.algorithm);
}

/** What is stored may differ from what was hashed: only bytes that were read back count. */
export function isDoubtful(upload: Upload, writer: ObjectWriter): boolean {
  return upload.wasAbandoned === true || writer.isDoubtful;
}

/** Makes the bytes durable, notes them and gives the lease back; where that fails, with what was durable before. */
export async function suspend(room: PushRoom, held: HeldLease, { writer, hash }: Appended): Promise<number> {
  const state = await held
    .during(() => writer.suspend())
    .catch(async (error: unknown) => {
      await held.giveUp(isRefusal(error)).catch(() => undefined);
      throw error;
    });
  await held.release(progressOf(state, hash));
  if (hash) room.hashes.keep(held.lease.uploadId, hash);
  return state.offsetBytes;
}

async function openWriter(room: PushRoom, held: HeldLease): Promise<ObjectWriter> {
  // Opening cuts off what lies beyond the offset: not what another one wrote while this process stood still.
  await held.ensure();
  let writer: ObjectWriter | undefined;
  try {
    return await held.during(async () => (writer = await room.store.write(held.upload.objectKey, held.upload)));
  } catch (error) {
    await writer?.abandon();
    await held.giveUp();
    throw error;
  }
}

async function pump(room: PushRoom, held: HeldLease, { writer, hash }: Appended, append: Append): Promise<void> {
  let sizeBytes = writer.offsetBytes;
  for await (const chunk of append.body) {
    sizeBytes += chunk.byteLength;
    if (sizeBytes > room.maxBlobBytes) throw blobTooLarge(room.maxBlobBytes);
    if (held.isDue) {
      await held.ensure();
      if (append.isNoted) await held.renew(progressOf(await writer.flush(), hash));
    }
    hash?.update(chunk);
    // A store that is slow costs the lease no more than one that is quick; a sender that is silent does.
    await held.during(() => writer.write(chunk));
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

/** We ended it; where something else did, requests to the store may still be on their way. */
export function isRefusal(cause: unknown): boolean {
  return cause instanceof RegistryError || cause instanceof OffsetMismatch;
}

/** Keeps what can be kept; the failure that led here is the one to report. */
async function keepWhatCame(
  room: PushRoom,
  held: HeldLease,
  appended: Appended,
  { append, cause }: { readonly append: Append; readonly cause: unknown },
): Promise<void> {
  try {
    if (cause instanceof LeaseLost) throw cause;
    await held.ensure();
    const isKept = append.keeps === 'what-came' && !(cause instanceof OffsetMismatch);
    if (isKept) return void (await suspend(room, held, appended));
    await appended.writer.abandon();
    await held.giveUp(isRefusal(cause));
  } catch {
    await appended.writer.abandon();
  }
}
