import type { Digest } from '@entrepot/oci';
import type { ObjectKey } from './blob-store.js';
import type { BlobFault } from './quarantine.js';

/**
 * What rows say of an upload's objects: `held` where the upload is under way or some of it waits for its removal, so that
 * nothing of it is to be touched; or the object of the blob that became of it.
 */
export type Claim =
  { readonly kind: 'held' } | { readonly kind: 'blob'; readonly digest: Digest; readonly objectKey: ObjectKey };

/** A blob by the object that it is said to have. */
export interface LedgerBlob {
  readonly digest: Digest;
  readonly objectKey: ObjectKey;
  readonly sizeBytes: number;
  readonly createdAt: Date;
  /** Why it is in quarantine; absent where it is not. */
  readonly fault?: BlobFault;
  /** Since when it is. */
  readonly faultAt?: Date;
}

export interface LedgerRange {
  /** Form of the keys of one store. */
  readonly keyPattern: string;
  readonly after?: ObjectKey;
  /** Up to this key, with it. */
  readonly upTo?: ObjectKey;
  readonly limit: number;
}

/** The rows that name objects, for who compares them with a store. */
export interface ObjectLedger {
  /**
   * What rows say of these uploads; one that none knows is left out. All tables are read as of one moment: an object that is
   * handed from an upload to a blob, or from a blob to those that are doomed, is in one of them.
   */
  claims(uploads: readonly ObjectKey[]): Promise<ReadonlyMap<ObjectKey, Claim>>;
  /** Blobs in the order of their keys, by bytes. */
  blobs(range: LedgerRange): Promise<LedgerBlob[]>;
  /** The blob as it is now. */
  blob(digest: Digest): Promise<LedgerBlob | undefined>;
}
