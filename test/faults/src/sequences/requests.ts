import { setTimeout as delay } from 'node:timers/promises';
import {
  LeaseLost,
  OffsetMismatch,
  appendChunk,
  cancelUpload,
  finishUpload,
  type Bytes,
  type UploadRef,
} from '@entrepot/content';
import { RegistryError, type Digest } from '@entrepot/oci';
import type { Replica } from './replica.js';

/** How a body comes. */
export interface Sending {
  readonly bytes: Buffer;
  readonly chunkBytes: number;
  /** Between chunks; long ones let a lease be renewed, or run out. */
  readonly pauseMs: number;
  /** The sender goes away after so many bytes. */
  readonly cutAfterBytes?: number;
}

export type Request =
  | { readonly kind: 'append'; readonly offsetBytes: number; readonly isRanged: boolean; readonly sending: Sending }
  | { readonly kind: 'finish'; readonly offsetBytes: number; readonly digest: Digest; readonly sending?: Sending }
  | { readonly kind: 'cancel' }
  | { readonly kind: 'status' };

/** `refused`: by its form, its place, or because another one writes; `failed`: in the middle. */
export type Outcome = 'done' | 'refused' | 'failed' | 'wrong digest' | 'unknown upload' | 'silent';

/** Asks a replica; `silent` where it died or fell asleep over it, and may be heard of later by `later`. */
export async function ask(
  replica: Replica,
  ref: UploadRef,
  request: Request,
): Promise<{ outcome: Outcome; later: Promise<Outcome> }> {
  const later = perform(replica, ref, request).then(() => 'done' as const, outcomeOf);
  for (;;) {
    const outcome = await Promise.race([later, delay(2, 'silent' as const)]);
    if (outcome !== 'silent' || replica.isDead || replica.isAsleep) return { outcome, later };
  }
}

async function perform({ room }: Replica, ref: UploadRef, request: Request): Promise<void> {
  switch (request.kind) {
    case 'append': {
      const { offsetBytes, sending, isRanged } = request;
      const range = { start: offsetBytes, end: offsetBytes + sending.bytes.length - 1 };
      const position = { stateOffset: offsetBytes, ...(isRanged && { range }) };
      await appendChunk(room, ref, position, bodyOf(sending));
      return;
    }
    case 'finish': {
      const { digest, offsetBytes, sending } = request;
      const last = sending && { position: { stateOffset: offsetBytes }, body: bodyOf(sending) };
      await finishUpload(room, { ref, digest, ...(last && { last }) });
      return;
    }
    case 'cancel':
      await cancelUpload(room, ref);
      return;
    case 'status':
      if (!(await room.uploads.find(ref))) throw new RegistryError('BLOB_UPLOAD_UNKNOWN');
  }
}

async function* bodyOf({ bytes, chunkBytes, pauseMs, cutAfterBytes = bytes.length }: Sending): Bytes {
  for (let at = 0; at < cutAfterBytes; at += chunkBytes) {
    if (pauseMs > 0) await delay(pauseMs);
    // As from a socket: the buffer is another one's as soon as the next is asked for.
    const chunk = Buffer.from(bytes.subarray(at, Math.min(at + chunkBytes, cutAfterBytes)));
    yield chunk;
    chunk.fill(0);
  }
  if (cutAfterBytes < bytes.length) throw new Error('the sender went away');
}

function outcomeOf(error: unknown): Outcome {
  if (error instanceof OffsetMismatch) return 'refused';
  if (error instanceof LeaseLost || !(error instanceof RegistryError)) return 'failed';
  if (error.code === 'BLOB_UPLOAD_UNKNOWN') return 'unknown upload';
  if (error.code === 'DIGEST_INVALID') return 'wrong digest';
  return error.status === 409 ? 'refused' : 'failed';
}
