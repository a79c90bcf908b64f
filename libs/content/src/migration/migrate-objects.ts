import type { ObjectKey } from '../ports/blob-store.js';
import type { MisplacedBlob, ObjectMoves } from '../ports/object-moves.js';
import { moveObject, type MoveRoom } from './move-object.js';

const BATCH = 100;
/** Objects that are copied at once: small ones are all waiting. */
const PARALLEL = 4;
/** A store that fails so often in a row is not there: what was moved is moved, and the rest waits for the next run. */
const MAX_FAILURES_IN_A_ROW = 100;
/** Failures that are remembered one by one; further ones are counted. */
const MAX_FAILURES_KEPT = 100;

export interface MoveFailure {
  readonly blob: MisplacedBlob;
  readonly error: unknown;
}

/** What a migration has done so far; read while it runs. */
export interface MigrationTally {
  movedBlobs: number;
  movedBytes: number;
  /** Bytes read from the source, those of unfinished copies included. */
  copiedBytes: number;
  /** Blobs that went, or were moved by another migration, while they were copied. */
  overtakenBlobs: number;
  failedBlobs: number;
  readonly failures: MoveFailure[];
}

export function newTally(): MigrationTally {
  return { movedBlobs: 0, movedBytes: 0, copiedBytes: 0, overtakenBlobs: 0, failedBlobs: 0, failures: [] };
}

export interface Migration {
  readonly room: MoveRoom;
  /** Form of the target's keys. */
  readonly keyPattern: string;
  /** Look again for what was pushed meanwhile, until there is nothing: only where pushes go to the target. */
  readonly repeats: boolean;
}

/**
 * Moves the objects of all blobs to the target, one by one, while everything else goes on. What is moved is never looked at
 * again, so that a migration that ended early is simply begun again. An object that cannot be moved is noted in `tally` and
 * left where it is. Rejects when nothing works any more, or the room's signal aborts.
 */
export async function migrateObjects(migration: Migration, tally: MigrationTally): Promise<void> {
  let before: number;
  do {
    before = tally.movedBlobs;
    await migrateOnce(migration, tally);
  } while (migration.repeats && tally.movedBlobs > before);
}

async function migrateOnce({ room, keyPattern }: Migration, tally: MigrationTally): Promise<void> {
  const blobs = misplacedBlobs(room.moves, keyPattern);
  const counted = { ...room, pace: (sizeBytes: number) => countCopied(room, tally, sizeBytes) };
  let failuresInARow = 0;
  const work = async (): Promise<void> => {
    for await (const blob of blobs) {
      room.signal.throwIfAborted();
      try {
        noteMoved(tally, blob, await moveObject(counted, blob));
        failuresInARow = 0;
      } catch (error) {
        room.signal.throwIfAborted();
        noteFailure(tally, { blob, error });
        failuresInARow += 1;
        if (failuresInARow >= MAX_FAILURES_IN_A_ROW) throw error;
      }
    }
  };
  // All of them end before this does: whoever closes the stores then leaves no copy half-way and unheld.
  const outcomes = await Promise.allSettled(Array.from({ length: PARALLEL }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
}

async function countCopied(room: MoveRoom, tally: MigrationTally, sizeBytes: number): Promise<void> {
  await room.pace(sizeBytes);
  tally.copiedBytes += sizeBytes;
}

function noteMoved(tally: MigrationTally, { sizeBytes }: MisplacedBlob, isMoved: boolean): void {
  if (!isMoved) {
    tally.overtakenBlobs += 1;
    return;
  }
  tally.movedBlobs += 1;
  tally.movedBytes += sizeBytes;
}

function noteFailure(tally: MigrationTally, failure: MoveFailure): void {
  tally.failedBlobs += 1;
  if (tally.failures.length < MAX_FAILURES_KEPT) tally.failures.push(failure);
}

/** Several may iterate it at once: each blob is given to one of them. */
async function* misplacedBlobs(moves: ObjectMoves, keyPattern: string): AsyncGenerator<MisplacedBlob> {
  let after: ObjectKey | undefined;
  for (;;) {
    const page = await moves.misplaced(keyPattern, { limit: BATCH, ...(after !== undefined && { after }) });
    yield* page;
    after = page.at(-1)?.objectKey;
    if (page.length < BATCH) return;
  }
}
