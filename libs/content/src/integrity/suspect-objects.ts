import type { BlobFault, Quarantine } from '../ports/quarantine.js';
import type { ExpectedBlob } from '../pull/read-verified.js';
import { findFault, findSizeFault, type Reading } from './find-fault.js';

/** Objects that wait to be read at most: one that is passed over will be read again, and suspected again. */
const MAX_WAITING = 100;

export interface SuspectRoom extends Pick<Reading, 'store'> {
  readonly quarantine: Quarantine;
  /** A blob was put into quarantine here. */
  onQuarantined(blob: ExpectedBlob, fault: BlobFault): void;
  /** Nothing was found out: the store or the database does not answer. */
  onUndecided(blob: ExpectedBlob, error: unknown): void;
}

/**
 * Looks again at objects of which a read failed, each once at a time, and puts blobs into quarantine whose objects are at
 * fault. A failure that passes, of the store or on the way, leaves everything as it is.
 */
export class SuspectObjects {
  readonly #sizes = new Map<string, Promise<void>>();
  readonly #bytes = new Map<string, Promise<void>>();
  readonly #stopping = new AbortController();
  #lastRead: Promise<void> = Promise.resolve();

  constructor(private readonly room: SuspectRoom) {}

  /** For an object that seems to be missing, or to end early. Resolves when all is done; never rejects. */
  measure(blob: ExpectedBlob): Promise<void> {
    return once(this.#sizes, blob.objectKey, () => this.#examine(blob, findSizeFault));
  }

  /** For one that seems to hold other bytes: it is read, in the background, one after another. */
  reread(blob: ExpectedBlob): void {
    if (this.#bytes.size >= MAX_WAITING) return;
    void once(this.#bytes, blob.objectKey, () => {
      this.#lastRead = this.#lastRead.then(() => this.#examine(blob, findFault));
      return this.#lastRead;
    });
  }

  /** Ends what is under way. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([...this.#sizes.values(), this.#lastRead]);
  }

  async #examine(blob: ExpectedBlob, find: typeof findFault): Promise<void> {
    const { signal } = this.#stopping;
    try {
      signal.throwIfAborted();
      const fault = await find({ store: this.room.store, signal }, blob);
      if (fault === undefined) return;
      const isNew = await this.room.quarantine.quarantine(blob.digest, blob.objectKey, fault);
      if (isNew) this.room.onQuarantined(blob, fault);
    } catch (error) {
      if (!signal.aborted) this.room.onUndecided(blob, error);
    }
  }
}

function once(running: Map<string, Promise<void>>, key: string, begin: () => Promise<void>): Promise<void> {
  const known = running.get(key);
  if (known) return known;
  const work = begin().finally(() => running.delete(key));
  running.set(key, work);
  return work;
}
