import type { BlobStore, CompletedObject, ObjectKey, ObjectWriter } from '../ports/blob-store.js';
import type { MisplacedBlob, ObjectMoves } from '../ports/object-moves.js';
import { readVerified } from '../pull/read-verified.js';

/** How long a copy is safe from the purge when its migration says nothing more; renewed at a third. */
const HOLD_MS = 15 * 60_000;

/** What objects are moved with. */
export interface MoveRoom {
  readonly moves: ObjectMoves;
  /** Reads every store that is open. */
  readonly source: BlobStore;
  readonly target: BlobStore;
  /** How long old objects stay, for who reads them. */
  readonly keepMs: number;
  readonly signal: AbortSignal;
  /** Resolves when so many bytes may be copied. */
  pace(sizeBytes: number): Promise<void>;
}

/**
 * Copies the object of a blob to the target, reads the copy back, and gives it to the blob. Both times the bytes must have
 * the blob's digest and size. False where the blob went, or was moved by somebody else, meanwhile: the copy is doomed then, as
 * after any failure. Rejects with `ObjectCorrupt`, `ObjectMissing` or `StoreUnavailable`; the blob is as it was.
 */
export async function moveObject(room: MoveRoom, blob: MisplacedBlob): Promise<boolean> {
  const held = new HeldKey(room.moves, room.target.newKey());
  await held.take();
  const { key: to, residue } = await orGiveUp(held, async () => {
    const copied = await copyObject(room, blob, held);
    const copy = { ...blob, objectKey: copied.key, signal: room.signal };
    await readVerified(room.target, copy, () => carryOn(room, held));
    return copied;
  });
  const { digest, objectKey: from } = blob;
  // A commit whose answer was lost is left alone: if it happened it took the hold away, and if not the hold will run out.
  const move = { digest, from, held: held.key, to, keepMs: room.keepMs, ...(residue !== undefined && { residue }) };
  const isMoved = await room.moves.finish(move);
  if (!isMoved) await room.moves.giveUp(held.key, to);
  return isMoved;
}

async function orGiveUp<T>(held: HeldKey, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    // What led here is the reason to report; a hold that cannot be given up runs out.
    await held.giveUp().catch(() => undefined);
    throw error;
  }
}

async function copyObject(room: MoveRoom, blob: MisplacedBlob, held: HeldKey): Promise<CompletedObject> {
  const { digest, sizeBytes, objectKey } = blob;
  const former = await room.source.record(objectKey);
  const writer = await room.target.write(held.key, { offsetBytes: 0 });
  return orAbandon(writer, async () => {
    await readVerified(room.source, { ...blob, signal: room.signal }, async (chunk) => {
      await room.pace(chunk.byteLength);
      await carryOn(room, held);
      await writer.write(chunk);
    });
    return writer.complete({ digest, sizeBytes, createdAt: former?.createdAt ?? new Date().toISOString() });
  });
}

async function carryOn({ signal }: MoveRoom, held: HeldKey): Promise<void> {
  signal.throwIfAborted();
  await held.renew();
}

async function orAbandon<T>(writer: ObjectWriter, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await writer.abandon();
    throw error;
  }
}

/** A key under which bytes may be written: the purge leaves it alone while it is held. */
class HeldKey {
  #renewAtMs = 0;

  constructor(
    private readonly moves: ObjectMoves,
    readonly key: ObjectKey,
  ) {}

  async take(): Promise<void> {
    this.#renewAtMs = performance.now() + HOLD_MS / 3;
    await this.moves.hold(this.key, HOLD_MS);
  }

  async renew(): Promise<void> {
    if (performance.now() < this.#renewAtMs) return;
    this.#renewAtMs = performance.now() + HOLD_MS / 3;
    if (!(await this.moves.holdOn(this.key, HOLD_MS))) throw new Error('the copy was purged before it was complete');
  }

  giveUp(): Promise<void> {
    return this.moves.giveUp(this.key);
  }
}
