import type { Digest } from '@entrepot/oci';
import type { ObjectKey } from './blob-store.js';

/** What is wrong with a blob's object: it is not there, it ends early, or its bytes are not those of the digest. */
export type BlobFault = 'missing' | 'short' | 'corrupt';

/**
 * Blobs whose bytes are not what they should be. A blob in quarantine counts as not held by anyone, until its bytes are pushed
 * again, into whatever repository: its links stay, so that this heals all of them. Each method is one short transaction, and
 * leaves an audit row and an event.
 */
export interface Quarantine {
  /**
   * Puts the blob into quarantine. False, and nothing is changed, where it is gone, has another object by now, or is in
   * quarantine already. Only for what was looked at twice: a store that is not well is no reason.
   */
  quarantine(digest: Digest, key: ObjectKey, fault: BlobFault): Promise<boolean>;
  /** Takes the blob out again: the bytes under this key were found to be right. False where that says nothing of it any more. */
  release(digest: Digest, key: ObjectKey): Promise<boolean>;
}

/** A blob as a walk meets it. */
export interface WalkedBlob {
  readonly digest: Digest;
  readonly objectKey: ObjectKey;
  readonly sizeBytes: number;
  /** Why it is in quarantine; absent where it is not. */
  readonly fault?: BlobFault;
}

export interface WalkPage {
  /** The last blob of the page before. */
  readonly after?: Digest;
  readonly limit: number;
  /** Only blobs that this repository holds. */
  readonly repositoryId?: string;
}

/** Every blob, one page after another. */
export interface BlobWalk {
  /** Blobs in the order of digests, those in quarantine included. */
  page(page: WalkPage): Promise<WalkedBlob[]>;
  /** How many there are to walk, and their bytes. */
  count(repositoryId?: string): Promise<{ readonly blobs: number; readonly sizeBytes: number }>;
  /** How many are in quarantine. */
  countQuarantined(): Promise<number>;
  /** True where the blob has this object still. */
  hasObject(digest: Digest, key: ObjectKey): Promise<boolean>;
}
