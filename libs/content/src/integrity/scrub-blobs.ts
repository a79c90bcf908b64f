import type { Digest } from '@entrepot/oci';
import { StoreUnavailable, type BlobStore } from '../ports/blob-store.js';
import type { BlobFault, BlobWalk, Quarantine, WalkedBlob } from '../ports/quarantine.js';
import { findFault } from './find-fault.js';
import { newScrubTally, type ScrubState, type ScrubTally } from './scrub-state.js';

/** Blobs that are read at once: small ones are all waiting. A walk that is taken over reads no more than these again. */
const PARALLEL = 4;
const PAGE = 25 * PARALLEL;
/** A store that fails so often in a row is not there. */
const MAX_FAILURES_IN_A_ROW = 40;
const NOTE_INTERVAL_MS = 1_000;

/** How much of what there is was read. */
export interface ScrubbedBytes {
  readonly bytes: number;
  readonly totalBytes: number;
}

export interface ScrubRoom {
  readonly walk: BlobWalk;
  readonly store: BlobStore;
  readonly quarantine: Quarantine;
  readonly signal: AbortSignal;
  /** Resolves when so many bytes may be read. */
  pace(sizeBytes: number): Promise<void>;
  /** A finding, in words. */
  log(line: string): void;
  /** Called about once a second, while big objects are read too, and at the end. The state is that between two blobs. */
  note(state: ScrubState, read: ScrubbedBytes): Promise<void>;
}

export interface Scrub {
  /** Only blobs that this repository holds. */
  readonly repositoryId?: string;
  /** Say what is wrong, and change nothing. */
  readonly isDry: boolean;
  /** Where a scrub that ended early stood. */
  readonly from?: ScrubState;
}

/**
 * Reads the object of every blob in the order of digests, and compares size and digest. What differs, and differs again at
 * a second look, is put into quarantine; what is in quarantine and was found to be right is taken out. Resolves with what it
 * did, also where the signal aborted, and rejects when nothing can be read any more; either way another one goes on from the
 * last state that was noted.
 */
export async function scrubBlobs(room: ScrubRoom, scrub: Scrub): Promise<ScrubTally> {
  const { repositoryId } = scrub;
  const totalBytes = (await room.walk.count(repositoryId)).sizeBytes;
  const walker = new Walker(room, scrub, totalBytes);
  try {
    await walkAll(walker);
  } catch (error) {
    if (!room.signal.aborted) throw error;
  }
  return walker.tally;
}

async function walkAll(walker: Walker): Promise<void> {
  for (let page = await walker.nextPage(); page.length > 0; page = await walker.nextPage()) {
    for (let index = 0; index < page.length; index += PARALLEL) {
      await walker.readAll(page.slice(index, index + PARALLEL));
    }
  }
  await walker.note();
}

class Walker {
  readonly tally: ScrubTally;
  #after: Digest | undefined;
  #failuresInARow = 0;
  #notedAtMs = 0;
  /** What all blobs up to `#after` came to, and what was read of those behind it. */
  #settled: ScrubTally;
  #partBytes = 0;
  readonly #begunMs = performance.now();

  constructor(
    private readonly room: ScrubRoom,
    private readonly scrub: Scrub,
    private readonly totalBytes: number,
  ) {
    this.tally = { ...(scrub.from?.tally ?? newScrubTally()) };
    this.#after = scrub.from?.after;
    this.#settled = { ...this.tally };
  }

  nextPage(): Promise<WalkedBlob[]> {
    const { repositoryId } = this.scrub;
    return this.room.walk.page({
      limit: PAGE,
      ...(this.#after !== undefined && { after: this.#after }),
      ...(repositoryId !== undefined && { repositoryId }),
    });
  }

  async readAll(blobs: readonly WalkedBlob[]): Promise<void> {
    this.room.signal.throwIfAborted();
    // All of them end before this does: nothing is read any more once the caller goes on.
    const outcomes = await Promise.allSettled(blobs.map((blob) => this.#read(blob)));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
    this.#after = blobs.at(-1)?.digest ?? this.#after;
    this.#settled = { ...this.tally };
    this.#partBytes = 0;
    if (performance.now() - this.#notedAtMs > NOTE_INTERVAL_MS) await this.note();
  }

  async note(): Promise<void> {
    this.#notedAtMs = performance.now();
    const { totalBytes } = this;
    const state = { tally: this.#settled, ...(this.#after !== undefined && { after: this.#after }) };
    const bytes = Math.min(this.#settled.bytes + this.#partBytes, totalBytes);
    await this.room.note(state, { bytes, totalBytes });
  }

  async #pace(sizeBytes: number): Promise<void> {
    await this.room.pace(sizeBytes);
    this.#partBytes += sizeBytes;
    const sinceMs = performance.now() - Math.max(this.#notedAtMs, this.#begunMs);
    if (sinceMs > NOTE_INTERVAL_MS) await this.note();
  }

  async #read(blob: WalkedBlob): Promise<void> {
    const { store, signal } = this.room;
    const pace = (sizeBytes: number) => this.#pace(sizeBytes);
    let fault: BlobFault | undefined;
    try {
      fault = await findFault({ store, signal, pace }, blob);
      this.#failuresInARow = 0;
    } catch (error) {
      this.#noteUnreadable(blob, error);
      return;
    }
    this.tally.objects += 1;
    this.tally.bytes += blob.sizeBytes;
    if (fault !== undefined) await this.#noteFault(blob, fault);
    else if (blob.fault !== undefined) await this.#noteHealed(blob);
  }

  #noteUnreadable(blob: WalkedBlob, error: unknown): void {
    this.room.signal.throwIfAborted();
    if (!(error instanceof StoreUnavailable)) throw error;
    this.tally.unreadable += 1;
    this.#failuresInARow += 1;
    this.room.log(`${blob.digest}: cannot be read now: ${error.message}`);
    if (this.#failuresInARow >= MAX_FAILURES_IN_A_ROW) throw error;
  }

  async #noteFault(blob: WalkedBlob, fault: BlobFault): Promise<void> {
    const { walk, quarantine, log } = this.room;
    const { digest, objectKey } = blob;
    if (!(await walk.hasObject(digest, objectKey))) {
      this.tally.overtaken += 1;
      return;
    }
    this.tally[fault] += 1;
    const isNew = !this.scrub.isDry && (await quarantine.quarantine(digest, objectKey, fault));
    if (isNew) this.tally.quarantined += 1;
    log(`${digest}: ${fault}, object ${objectKey}${isNew ? ', put into quarantine' : ''}`);
  }

  async #noteHealed({ digest, objectKey, fault }: WalkedBlob): Promise<void> {
    if (!this.scrub.isDry && !(await this.room.quarantine.release(digest, objectKey))) return;
    this.tally.healed += 1;
    this.room.log(`${digest}: was ${fault} and is right again${this.scrub.isDry ? '' : ', taken out of quarantine'}`);
  }
}
