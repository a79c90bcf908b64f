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

/**
 * One object being written, by one call at a time. Exactly one writer may be open for a key; the upload's lease sees to
 * that, and a store closes a former one that it can reach. The first fault closes a writer too: what was durable before
 * can be continued. Calls of a closed writer reject with `StoreUnavailable`.
 */
export interface ObjectWriter {
  /** Bytes accepted so far, those of earlier writers of the same object included. */
  readonly offsetBytes: number;
  /** Takes a chunk. The buffer may be reused by the caller once the promise resolves. */
  write(chunk: Uint8Array): Promise<void>;
  /** Makes everything written so far survive a power loss; resolves with the durable offset. */
  flush(): Promise<number>;
  /** Flushes, and leaves `record` beside the object. The writer is closed. */
  complete(record: ObjectRecord): Promise<void>;
  /** Flushes and closes; the object can be continued by `write`. Resolves with the durable offset. */
  suspend(): Promise<number>;
  /** Closes without another byte reaching the object: someone else may be writing it by now. Never rejects. */
  abandon(): Promise<void>;
}

/** Bytes of objects. Knows keys and positions; knows no digest, repository or tag. */
export interface BlobStore {
  /** Makes a key that was never used before. */
  newKey(): ObjectKey;
  /**
   * Opens an object at `offsetBytes`: at 0 it is made, or begun anew; further on a suspended or abandoned one is continued.
   * What lies beyond is cut off, and the record with it. Rejects with `ObjectMissing` where the object is gone or shorter.
   */
  write(key: ObjectKey, offsetBytes: number): Promise<ObjectWriter>;
  /**
   * Feeds the range to `sink` in order. A chunk is only valid until the promise that `sink` returned resolves, and the
   * next one is read meanwhile. Rejects with `ObjectMissing` if there is no such object, before the first call of
   * `sink`; stops reading when `sink` rejects, and rejects with its reason. An empty range (`end` before `start`) calls it
   * not at all; a range beyond the end rejects with `StoreUnavailable`.
   */
  read(key: ObjectKey, range: ByteRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void>;
  /** Size of the object, or undefined where there is none. */
  size(key: ObjectKey): Promise<number | undefined>;
  /** The record that `complete` left, or undefined. */
  record(key: ObjectKey): Promise<ObjectRecord | undefined>;
  /**
   * Removes object and record, complete or not, so that a power loss does not bring them back. Removing what is not there
   * succeeds. A reader that is under way gets the object's bytes or a failure.
   */
  remove(key: ObjectKey): Promise<void>;
  /** Every object in the store in no order, unfinished ones included. For sweeps and rebuilds. */
  list(): AsyncIterable<{ readonly key: ObjectKey; readonly sizeBytes: number; readonly modifiedAt: Date }>;
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
