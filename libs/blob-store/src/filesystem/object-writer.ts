import { writeFile } from 'node:fs/promises';
import { StoreUnavailable } from '@entrepot/content';
import type { CompletedObject, DurableState, ObjectKey, ObjectRecord, ObjectWriter } from '@entrepot/content';
import type { BufferPool } from './buffer-pool.js';
import { closeFile, syncData, writeFully } from './files.js';
import { residueOf } from './object-path.js';
import { storeFault } from './store-fault.js';

/** Bytes after which the disk is set to work, so that little is left for the flush at the end. */
const WRITE_BEHIND_BYTES = 32 * 1024 * 1024;

/** What a writer needs of the store that opened it. */
export interface WriterPlace {
  readonly root: string;
  /** The upload's key, and what its object is called: the same, unless it was taken over. */
  readonly upload: ObjectKey;
  readonly name: ObjectKey;
  /** Absolute path of the sidecar. */
  readonly recordPath: string;
  readonly pool: BufferPool;
  /** Feeds the first bytes of the object. */
  readonly readBack: (sizeBytes: number, sink: (chunk: Uint8Array) => Promise<void>) => Promise<void>;
  /** Makes the name of the object durable. */
  readonly syncName: () => Promise<void>;
  /** Called once, before the file is closed for whatever reason. */
  readonly onClose: () => void;
}

/**
 * Writes one file by position. Chunks are gathered in a pooled buffer; a full one is written while the next is filled.
 * The first fault is final: after a failed fsync the kernel may have dropped bytes that a second one would vouch for.
 */
export class FileObjectWriter implements ObjectWriter {
  readonly isDoubtful = false;
  readonly #file: number;
  readonly #place: WriterPlace;
  #filling: Buffer | undefined;
  #filledBytes = 0;
  #handedOverBytes: number;
  #unsyncedBytes = 0;
  #isNameDurable = false;
  /** Calls that touch the file take turns, so that `abandon`, which the store may call, finds nothing under way. */
  #turn: Promise<void> = Promise.resolve();
  #writing: Promise<void> = Promise.resolve();
  #syncing: Promise<void> | undefined;
  #fault: unknown;
  #isClosed = false;

  constructor(file: number, offsetBytes: number, place: WriterPlace) {
    this.#file = file;
    this.#handedOverBytes = offsetBytes;
    this.#place = place;
  }

  get offsetBytes(): number {
    return this.#handedOverBytes + this.#filledBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      this.#refuseClosed();
      this.#filling ??= this.#place.pool.lend();
      const taken = rest.subarray(0, this.#filling.length - this.#filledBytes);
      this.#filling.set(taken, this.#filledBytes);
      this.#filledBytes += taken.length;
      rest = rest.subarray(taken.length);
      if (this.#filledBytes === this.#filling.length) await this.#inTurn(() => this.#handOver());
    }
  }

  async flush(): Promise<DurableState> {
    await this.#inTurn(() => this.#makeDurable());
    return this.#state();
  }

  async readBack(sink: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    const { offsetBytes } = await this.flush();
    await this.#place.readBack(offsetBytes, sink);
  }

  async complete(record: ObjectRecord): Promise<CompletedObject> {
    await this.#inTurn(async () => {
      await this.#makeDurable();
      // Only now, so that a record that can be read vouches for bytes that are durable. It is not synced itself: what a
      // power loss takes of it, a rebuild makes good from the bytes.
      await writeFile(this.#place.recordPath, `${JSON.stringify(record)}\n`, { mode: 0o660 });
      await this.#release();
    });
    const { upload, name } = this.#place;
    return name === upload ? { key: name } : { key: name, residue: residueOf(name) };
  }

  async suspend(): Promise<DurableState> {
    await this.#inTurn(async () => {
      await this.#makeDurable();
      await this.#release();
    });
    return this.#state();
  }

  abandon(): Promise<void> {
    this.#turn = this.#turn.then(() => this.#release()).catch(() => undefined);
    return this.#turn;
  }

  #state(): DurableState {
    const { offsetBytes } = this;
    const { upload, name } = this.#place;
    return name === upload ? { offsetBytes } : { offsetBytes, resume: name };
  }

  /** Begins to write the gathered bytes, once those before them are written. */
  async #handOver(): Promise<void> {
    await this.#writing;
    if (this.#fault !== undefined) throw this.#fault;
    const buffer = this.#filling;
    if (buffer === undefined) return;
    const bytes = buffer.subarray(0, this.#filledBytes);
    this.#filling = undefined;
    this.#filledBytes = 0;
    this.#writing = this.#noteFault(writeFully(this.#file, bytes, this.#handedOverBytes)).finally(() =>
      this.#place.pool.giveBack(buffer),
    );
    this.#handedOverBytes += bytes.length;
    this.#unsyncedBytes += bytes.length;
    this.#writeBehind();
  }

  /** Sets the disk to work on what was written, unless it is at it already. */
  #writeBehind(): void {
    if (this.#unsyncedBytes < WRITE_BEHIND_BYTES || this.#syncing !== undefined) return;
    this.#unsyncedBytes = 0;
    this.#syncing = this.#noteFault(syncData(this.#file)).finally(() => {
      this.#syncing = undefined;
    });
  }

  async #makeDurable(): Promise<void> {
    await this.#handOver();
    await this.#settle();
    if (this.#fault !== undefined) throw this.#fault;
    await settleAll([syncData(this.#file), this.#isNameDurable ? undefined : this.#place.syncName()]);
    this.#isNameDurable = true;
    this.#unsyncedBytes = 0;
  }

  async #settle(): Promise<void> {
    await this.#writing;
    await this.#syncing;
  }

  async #noteFault(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#fault ??= error;
    }
  }

  async #inTurn(work: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(() => this.#orRelease(work));
    this.#turn = turn.catch(() => undefined);
    await turn;
  }

  async #orRelease(work: () => Promise<void>): Promise<void> {
    this.#refuseClosed();
    try {
      await work();
    } catch (error) {
      await this.#release();
      throw storeFault(error, this.#place.root);
    }
  }

  async #release(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#settle();
    if (this.#filling !== undefined) this.#place.pool.giveBack(this.#filling);
    this.#filling = undefined;
    this.#place.onClose();
    await closeFile(this.#file);
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new StoreUnavailable('the object is not open for writing any more');
  }
}

/** Like `Promise.all`, but leaves nothing under way when one of them fails. */
async function settleAll(work: readonly (Promise<void> | undefined)[]): Promise<void> {
  for (const outcome of await Promise.allSettled(work)) {
    if (outcome.status === 'rejected') throw outcome.reason;
  }
}
