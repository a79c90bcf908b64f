import { ObjectMissing, StoreUnavailable } from '@entrepot/content';
import type { CompletedObject, DurableState, ObjectKey, ObjectRecord, ObjectWriter } from '@entrepot/content';
import { feedObject } from './feed-object.js';
import { newNonce, recordNameOf, residueOf } from './object-names.js';
import type { CopySource, ObjectParts, PartsPlace } from './object-parts.js';
import { PartBuffer, type SegmentPool } from './part-buffer.js';
import { PartsReplaced } from './part-series.js';
import { encodeResume, resumedBytes, type ResumeState } from './resume-state.js';
import type { S3Bucket } from './s3-bucket.js';
import { toStoreUnavailable } from './s3-failure.js';
import type { UploadWindow } from './upload-window.js';

type Sink = (chunk: Uint8Array) => Promise<void>;

/** What former writers left of an upload, where their parts cannot be gone on with. */
export interface FormerObjects {
  /** Hold the bytes of the state, but for its rest. */
  readonly sources: readonly CopySource[];
  /** Nonce of an object that is exactly what the state speaks of, and that no late request can reach. */
  readonly wholeNonce?: string;
}

/** What a writer begins with. */
export interface WriterStart {
  readonly from: DurableState;
  readonly parts: ObjectParts;
  readonly window: UploadWindow;
  readonly former?: FormerObjects;
  /** The bytes after the parts, in an object of their own; all there are where `isAlone`. */
  readonly rest?: StoredRest;
}

export interface StoredRest extends CopySource {
  readonly nonce: string;
  readonly isAlone: boolean;
}

/** What a writer needs of the store that opened it. */
export interface WriterPlace extends PartsPlace {
  readonly pool: SegmentPool;
  /** Ends what is under way. */
  readonly giveUp: AbortController;
  /** Called once, when the writer closes for whatever reason. */
  readonly onClose: () => void;
  /** Does some work later; nobody waits for it, and its failure is of no consequence. */
  readonly later: (work: (bucket: S3Bucket) => Promise<void>) => void;
}

/**
 * Gathers parts and stores some at a time while the next one is gathered. What fits into the first part is stored as one
 * object. Every name carries a nonce of the writer that began it, parts are added only to those of a writer that ended in
 * order, and joined by their ETags: requests of a former writer that arrive late touch nothing of this one's (docs/races.md).
 */
export class S3ObjectWriter implements ObjectWriter {
  readonly isDoubtful: boolean;
  readonly #place: WriterPlace;
  readonly #from: DurableState;
  readonly #parts: ObjectParts;
  readonly #window: UploadWindow;
  #part: PartBuffer;
  /** What the state speaks of beyond its parts, until it is needed. */
  #unread: Pick<WriterStart, 'former' | 'rest'> | undefined;
  readonly #rest: StoredRest | undefined;
  #isPublished: boolean;
  /** Nonce of the object that was made, before its record is written. */
  #made: string | undefined;
  #isClosed = false;

  constructor(place: WriterPlace, { from, parts, window, former, rest }: WriterStart) {
    this.#place = place;
    this.#from = { offsetBytes: from.offsetBytes, ...(from.resume !== undefined && { resume: from.resume }) };
    this.#parts = parts;
    this.#window = window;
    this.#part = new PartBuffer(place.pool);
    this.#rest = rest;
    this.#unread = former || rest ? { ...(former && { former }), ...(rest && { rest }) } : undefined;
    this.#isPublished = !parts.isEmpty;
    this.isDoubtful = former !== undefined;
  }

  get offsetBytes(): number {
    return this.#unread ? this.#from.offsetBytes : this.#parts.sizeBytes + this.#part.sizeBytes;
  }

  async write(chunk: Uint8Array): Promise<void> {
    await this.#guard(async () => {
      this.#refuseMade();
      if (chunk.length > 0) await this.#readUnread();
      await this.#gather(chunk);
    });
  }

  flush(): Promise<DurableState> {
    return this.#guard(async () => {
      this.#refuseMade();
      const state = this.#parts.save();
      if (this.#unread || resumedBytes(state) <= this.#from.offsetBytes) return this.#from;
      return this.#publish({ ...state, ...this.#stale() });
    });
  }

  readBack(sink: Sink): Promise<void> {
    return this.#guard(async () => {
      const sizeBytes = this.offsetBytes;
      const name = this.#nameOf(await this.#make());
      await feedObject(this.#place.bucket, name, { start: 0, end: sizeBytes - 1 }, sink);
    });
  }

  complete(record: ObjectRecord): Promise<CompletedObject> {
    return this.#guard(async () => {
      const nonce = await this.#make();
      await this.#place.bucket.putText(recordNameOf(this.#nameOf(nonce)), `${JSON.stringify(record)}\n`);
      const key = `${this.#place.key.uploadKey}-${nonce}`;
      const isAlone = this.#from.offsetBytes === 0 && this.#parts.isEmpty;
      this.#isPublished = true;
      this.#close();
      return { key: key as ObjectKey, ...(!isAlone && { residue: residueOf(key as ObjectKey) }) };
    });
  }

  suspend(): Promise<DurableState> {
    return this.#guard(async () => {
      this.#refuseMade();
      const state = this.#unread ? this.#from : await this.#store();
      this.#close();
      return state;
    });
  }

  async abandon(): Promise<void> {
    if (this.#isClosed) return;
    this.#place.giveUp.abort();
    this.#close();
  }

  /** Takes the chunk into parts; a full part is on its way before the next byte is taken. */
  async #gather(chunk: Uint8Array): Promise<void> {
    let rest = chunk;
    while (rest.length > 0) {
      this.#refuseClosed();
      const room = this.#parts.nextBytes - this.#part.sizeBytes;
      if (room <= 0) {
        await this.#handOver();
        continue;
      }
      while (this.#part.needsSegment && this.#place.pool.isOut && !this.#window.isIdle) await this.#window.next();
      rest = rest.subarray(this.#part.append(rest, room));
    }
  }

  async #handOver(): Promise<void> {
    const part = this.#part;
    this.#part = new PartBuffer(this.#place.pool);
    try {
      await this.#parts.put(part);
    } catch (error) {
      part.release(true);
      throw error;
    }
  }

  /** Brings what earlier writers left behind the parts back to where it can be gone on with. */
  async #readUnread(): Promise<void> {
    const { former, rest } = this.#unread ?? {};
    this.#unread = undefined;
    for (const source of former?.sources ?? []) await this.#parts.copyFrom(source);
    if (rest === undefined) return;
    const range = { start: 0, end: rest.sizeBytes - 1 };
    await feedObject(this.#place.bucket, rest.name, range, (chunk) => this.#gather(chunk));
  }

  /** Makes everything durable so that another writer can go on. */
  async #store(): Promise<DurableState> {
    if (this.#parts.isEmpty && this.#part.sizeBytes === 0) return { offsetBytes: 0 };
    if (this.#parts.takesEarly(this.#part.sizeBytes)) await this.#handOver();
    await this.#window.settle();
    if (this.#part.sizeBytes === 0) return this.#publish({ ...this.#parts.save(), ...this.#stale() });
    const rest = { nonce: newNonce(), sizeBytes: this.#part.sizeBytes };
    const { objectPrefix, piecePrefix } = this.#place.key;
    // Without any parts the rest is the whole object, and lies where that belongs.
    await this.#putPart(`${this.#parts.isEmpty ? objectPrefix : piecePrefix}${rest.nonce}`);
    return this.#publish({ ...this.#parts.save(), rest, ...this.#stale() });
  }

  #stale(): Pick<ResumeState, 'staleNonce'> {
    return this.#rest ? { staleNonce: this.#rest.nonce } : {};
  }

  /** Makes the object; resolves with its nonce. */
  async #make(): Promise<string> {
    this.#made ??= await this.#makeObject();
    return this.#made;
  }

  async #makeObject(): Promise<string> {
    const { rest, former } = this.#unread ?? {};
    if (rest?.isAlone) return rest.nonce;
    if (former?.wholeNonce !== undefined) return former.wholeNonce;
    await this.#readUnread();
    if (this.#parts.isEmpty) {
      const nonce = newNonce();
      await this.#putPart(this.#nameOf(nonce));
      return nonce;
    }
    if (this.#part.sizeBytes > 0) await this.#handOver();
    return this.#parts.complete();
  }

  async #putPart(name: string): Promise<void> {
    await this.#place.bucket.put(name, this.#part);
    this.#part.release();
  }

  #publish(state: ResumeState): DurableState {
    this.#isPublished = true;
    return { offsetBytes: resumedBytes(state), resume: encodeResume(state) };
  }

  #nameOf(nonce: string): string {
    return `${this.#place.key.objectPrefix}${nonce}`;
  }

  async #guard<T>(work: () => Promise<T>): Promise<T> {
    this.#refuseClosed();
    try {
      return await work();
    } catch (error) {
      this.#refuseClosed();
      this.#place.giveUp.abort();
      this.#close();
      if (error instanceof PartsReplaced) throw new ObjectMissing(this.#place.key.uploadKey);
      throw toStoreUnavailable(error, this.#place.bucket.place);
    }
  }

  #close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#part.release(true);
    this.#place.onClose();
    if (!this.#isPublished && !this.#parts.isEmpty) this.#place.later((bucket) => this.#parts.abort(bucket));
  }

  #refuseMade(): void {
    if (this.#made !== undefined) throw new StoreUnavailable('the object was read back and takes no more bytes');
  }

  #refuseClosed(): void {
    if (this.#isClosed) throw new StoreUnavailable('the object is not open for writing any more');
  }
}
