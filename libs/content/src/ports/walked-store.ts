import type { BlobStore, ListedObject, ObjectKey, ObjectRecord } from './blob-store.js';

/** One store as those see it who compare it with the rows: sweeps and checks. */
export interface WalkedStore extends BlobStore {
  /** The upload that a key belongs to: what its key names, and `remove` takes with it. Asks nobody. */
  uploadOf(key: ObjectKey): ObjectKey;
  /** A key for all that uploads left beside a completed object, and for nothing of that object. Asks nobody. */
  residueOf(object: ObjectKey): ObjectKey;
  /** What there is of one upload now, as `list` shows it. */
  listUpload(upload: ObjectKey): AsyncIterable<ListedObject>;
  /** The clock that `modifiedAt` is read from: asked of the store, for it may differ from ours and from the database's. */
  now(): Promise<Date>;
  /** Writes the record of a completed object anew. */
  writeRecord(key: ObjectKey, record: ObjectRecord): Promise<void>;
}
