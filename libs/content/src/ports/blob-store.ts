/** The name of one object: made for one upload, never derived from content, never used again. */
export type ObjectKey = string & { readonly objectKey: unique symbol };

/** What the sidecar beside an object says, so that metadata can be rebuilt from storage alone. */
export interface ObjectRecord {
  readonly digest: string;
  readonly sizeBytes: number;
  readonly createdAt: string;
}

/** Inclusive byte positions, as in HTTP (RFC 9110, 14.1.2). */
export interface ByteRange {
  readonly start: number;
  readonly end: number;
}

/** What is read of an object. */
export interface ReadRange extends ByteRange {
  /** Aborted when nobody waits for the bytes any more: a store that keeps its reader waiting may then let go at once. */
  readonly signal?: AbortSignal;
}

/** Where a writer stands: what another one, in whatever process, needs to go on from there. */
export interface DurableState {
  /** Bytes that survive a power loss. */
  readonly offsetBytes: number;
  /** What the store keeps in mind of them; opaque to all others, and belongs to exactly this offset. */
  readonly resume?: string;
}

/** Where to go on from. */
export interface WriteFrom extends DurableState {
  /** A former writer let the lease run out, or ended by a fault: what it sent may still arrive. */
  readonly wasAbandoned?: boolean;
}

/** What a writer made. */
export interface CompletedObject {
  /** Where the object is read from now on; need not be the key that was written to. */
  readonly key: ObjectKey;
  /** A key for what earlier writers may have left beside the object: to be removed once `key` is committed, and not before. */
  readonly residue?: ObjectKey;
}

/**
 * One object being written, by one call at a time. Exactly one writer may be open for a key; the upload's lease sees to
 * that, and a store closes a former one that it can reach. One that it cannot reach may still send: none of its bytes get
 * into what another one completes. The first fault closes a writer too: what was durable before can be continued. Calls of a
 * closed writer reject with `StoreUnavailable`.
 */
export interface ObjectWriter {
  /** Bytes accepted so far, those of earlier writers of the same object included. */
  readonly offsetBytes: number;
  /** The bytes of earlier writers may not be those that were hashed: they count only once they were read back. */
  readonly isDoubtful: boolean;
  /** Takes a chunk. The buffer may be reused by the caller once the promise resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /**
   * Makes bytes survive a power loss, as far as none need be sent twice for it: the durable offset may lie behind
   * `offsetBytes`. The writer goes on.
   */
  flush(): Promise<DurableState>;
  /**
   * Makes everything durable and feeds it to `sink` from the first byte on, as `BlobStore.read` does. Afterwards the writer
   * can only be completed or abandoned.
   */
  readBack(sink: (chunk: Uint8Array) => Promise<void>): Promise<void>;
  /**
   * Makes everything durable, and leaves `record` beside the object. The writer is closed. Whoever opens the object once
   * more from the last state that was noted may go on, and complete it, as if this one had never been.
   */
  complete(record: ObjectRecord): Promise<CompletedObject>;
  /** Makes everything durable and closes; the object can be continued by `write`. */
  suspend(): Promise<DurableState>;
  /** Closes without another byte reaching the object: someone else may be writing it by now. Never rejects. */
  abandon(): Promise<void>;
}

/** What a store shows of an object without opening it. */
export interface ListedObject {
  readonly key: ObjectKey;
  readonly sizeBytes: number;
  /** By the store's own clock. */
  readonly modifiedAt: Date;
  /** A record lies beside it; what it says was not read. */
  readonly hasRecord: boolean;
  /** Present for what lies among the objects and is none: nothing is read from it. */
  readonly stray?: Stray;
}

/** Something among the objects under a name of another form, or at another place than that of its name. */
export interface Stray {
  /** Where it lies below the store's root, for people. */
  readonly path: string;
  /** The object whose record it is, and which is not there. */
  readonly recordOf?: ObjectKey;
}

/** Bytes of objects. Knows keys and positions; knows no digest, repository or tag. Only completed objects can be read. */
export interface BlobStore {
  /** Makes a key that was never used before. */
  newKey(): ObjectKey;
  /** Names the store that the object of a key lies in: several may be joined. Asks nobody. */
  storeOf(key: ObjectKey): string;
  /**
   * Opens the object that was begun under a key of `newKey`: at offset 0 it is made, or begun anew; further on it is
   * continued from a state that a writer resolved with. What lies beyond is dropped. Rejects with `ObjectMissing` where
   * the object is gone or no longer what the state says.
   */
  write(key: ObjectKey, from: WriteFrom): Promise<ObjectWriter>;
  /**
   * Feeds the range to `sink` in order. A chunk is only valid until the promise that `sink` returned resolves, and the
   * next one is read meanwhile. Rejects with `ObjectMissing` if there is no such object, before the first call of
   * `sink`; stops reading when `sink` rejects, and rejects with its reason. An empty range (`end` before `start`) calls it
   * not at all; a range beyond the end rejects with `ObjectShort`.
   */
  read(key: ObjectKey, range: ReadRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void>;
  /** Size of the object, or undefined where there is none. */
  size(key: ObjectKey): Promise<number | undefined>;
  /** The record that `complete` left, or undefined. */
  record(key: ObjectKey): Promise<ObjectRecord | undefined>;
  /**
   * Removes all that was ever written under the key of an upload, or the object and its record under the key of a completed
   * one, so that a power loss does not bring them back. Removing what is not there succeeds. A reader that is under way
   * gets the object's bytes or a failure.
   */
  remove(key: ObjectKey): Promise<void>;
  /** The same for many, as fast as the store can. Resolves with those that could not be removed, and why; never rejects. */
  removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>>;
  /**
   * Every object in the store: first those that lie under keys of their own, in the order of their keys by bytes and behind
   * `after`; then what is on its way to one, perhaps in several pieces, under the key of its upload and wherever `after`
   * stands. Strays come in the order of their keys, too, behind the objects. Each key is one that `remove` takes. Memory does not grow with the store. For sweeps and rebuilds.
   */
  list(from?: { readonly after?: ObjectKey }): AsyncIterable<ListedObject>;
  /** Resolves if the store can be written and read now; rejects with the reason. */
  check(): Promise<void>;
}

/** The store holds no object under the key: metadata and storage disagree, or the upload was purged. */
export class ObjectMissing extends Error {
  override readonly name = 'ObjectMissing';
  constructor(readonly key: ObjectKey) {
    super(`no object ${key} in the store`);
  }
}

/** The store cannot take or give bytes now (full, unreachable, I/O error). The work may be tried again. */
export class StoreUnavailable extends Error {
  override readonly name = 'StoreUnavailable';
  /** Read by the HTTP edge: answered with 503 and Retry-After. */
  readonly retryable = true;
}

/** There is no room for more bytes. Waiting rarely helps, so that whoever pushes is told why. */
export class StoreFull extends StoreUnavailable {
  /** Read by the HTTP edge: what clients are told in place of the general words. */
  readonly clientMessage = 'the storage of the registry is full; its operator has to free space';
}

/** The object ends before the range that was asked for: the store says so itself, it is no answer that broke off. */
export class ObjectShort extends StoreUnavailable {}
