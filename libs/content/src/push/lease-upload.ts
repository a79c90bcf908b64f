import { setTimeout as delay } from 'node:timers/promises';
import { RegistryError } from '@entrepot/oci';
import type { UploadRef } from '../ports/uploads.js';
import type { Bytes, PushRoom } from './push-room.js';
import { HeldLease } from './held-lease.js';

/** How long to wait before a lease that another request has is asked for again. */
const HELD_DELAYS_MS = [50, 150, 300];

/** What a request says about where its bytes belong. */
export interface ChunkPosition {
  /** Offset that the upload's signed state spoke of. */
  readonly stateOffset: number;
  /** Inclusive positions of `Content-Range`, where the client sent one. */
  readonly range?: { readonly start: number; readonly end: number };
}

/** The body does not belong where the upload stands; carries the offset for the answer's Range and Location. */
export class OffsetMismatch extends Error {
  override readonly name = 'OffsetMismatch';
  constructor(readonly offsetBytes: number) {
    super(`the upload stands at ${offsetBytes}`);
  }
}

/** Another request has the lease: 409. */
class UploadHeld extends RegistryError {
  constructor() {
    super('BLOB_UPLOAD_INVALID', {
      status: 409,
      message: 'another request is writing to this upload; try again when it has ended',
      headers: { 'Retry-After': '1' },
    });
  }
}

/**
 * Takes the lease of the upload for a request that brings bytes. Rejects with BLOB_UPLOAD_UNKNOWN, with
 * `OffsetMismatch` where the bytes are out of order (416), or with 409 where another request goes on writing: one that
 * was killed is known to be gone only a moment later than its balancer sends the request again.
 */
export async function leaseUpload(
  room: PushRoom,
  ref: UploadRef,
  position: ChunkPosition | undefined,
): Promise<HeldLease> {
  const { leaseMs } = room;
  const lease = { uploadId: ref.uploadId, leaseId: room.newId() };
  const terms = position ? { leaseMs, offsetBytes: expectedOffset(position) } : { leaseMs };
  for (let tries = 0; ; tries += 1) {
    const askedAtMs = performance.now();
    const upload = await room.uploads.lease(ref, lease, terms);
    if (upload) return new HeldLease(room.uploads, { lease, upload, askedAtMs }, leaseMs);
    const refusal = await refusalOf(room, ref, position);
    const delayMs = HELD_DELAYS_MS[tries];
    if (!(refusal instanceof UploadHeld) || delayMs === undefined) throw refusal;
    await delay(delayMs);
  }
}

function expectedOffset({ range, stateOffset }: ChunkPosition): number {
  return range ? range.start : stateOffset;
}

/**
 * The body of a chunk. A stream has no Content-Length that its Content-Range could be compared with: its bytes are counted,
 * and other than the range says end in `OffsetMismatch`.
 */
export function bodyAt({ range }: ChunkPosition, body: Bytes): Bytes {
  return range ? countedBody(range, body) : body;
}

async function* countedBody(
  { start, end }: { readonly start: number; readonly end: number },
  body: Bytes,
): AsyncGenerator<Uint8Array> {
  let missingBytes = end - start + 1;
  for await (const chunk of body) {
    missingBytes -= chunk.byteLength;
    if (missingBytes < 0) throw new OffsetMismatch(start);
    yield chunk;
  }
  if (missingBytes > 0) throw new OffsetMismatch(start);
}

/** Why the lease was not to be had. */
async function refusalOf(room: PushRoom, ref: UploadRef, position: ChunkPosition | undefined): Promise<Error> {
  const upload = await room.uploads.find(ref);
  if (!upload) return new RegistryError('BLOB_UPLOAD_UNKNOWN');
  if (position && expectedOffset(position) !== upload.offsetBytes) return new OffsetMismatch(upload.offsetBytes);
  return new UploadHeld();
}
