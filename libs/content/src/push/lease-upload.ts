import { RegistryError } from '@entrepot/oci';
import type { UploadRef } from '../ports/uploads.js';
import type { Bytes, PushRoom } from './push-room.js';
import { HeldLease } from './held-lease.js';

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

/**
 * Takes the lease of the upload for a request that brings bytes. Rejects with BLOB_UPLOAD_UNKNOWN, with
 * `OffsetMismatch` where the bytes are out of order (416), or with 409 where another request is writing.
 */
export async function leaseUpload(
  room: PushRoom,
  ref: UploadRef,
  position: ChunkPosition | undefined,
): Promise<HeldLease> {
  const { leaseMs } = room;
  const lease = { uploadId: ref.uploadId, leaseId: room.newId() };
  const askedAtMs = performance.now();
  const terms = position ? { leaseMs, offsetBytes: expectedOffset(position) } : { leaseMs };
  const upload = await room.uploads.lease(ref, lease, terms);
  if (upload === undefined) throw await refusalOf(room, ref, position);
  return new HeldLease(room.uploads, { lease, upload, askedAtMs }, leaseMs);
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
  return new RegistryError('BLOB_UPLOAD_INVALID', {
    status: 409,
    message: 'another request is writing to this upload; try again when it has ended',
    headers: { 'Retry-After': '1' },
  });
}
