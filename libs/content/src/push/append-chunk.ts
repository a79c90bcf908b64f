import type { UploadRef } from '../ports/uploads.js';
import { appendBytes, suspend } from './append-bytes.js';
import { bodyAt, leaseUpload, type ChunkPosition } from './lease-upload.js';
import { unlessLost } from './lost-object.js';
import type { Bytes, PushRoom } from './push-room.js';

/** Adds a chunk or a stream to an upload (end-5). Resolves with the offset reached, which is durable. */
export async function appendChunk(
  room: PushRoom,
  ref: UploadRef,
  position: ChunkPosition,
  body: Bytes,
): Promise<number> {
  const held = await leaseUpload(room, ref, position);
  return unlessLost(async () => {
    // Of other bytes than its range says nothing may have been kept.
    const isNoted = position.range === undefined;
    const appended = await appendBytes(room, held, { body: bodyAt(position, body), keeps: 'what-came', isNoted });
    return suspend(room, held, appended);
  });
}
