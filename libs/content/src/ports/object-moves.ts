import type { Digest } from '@entrepot/oci';
import type { ObjectKey } from './blob-store.js';

/** A blob whose object lies in another store than it should. */
export interface MisplacedBlob {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly objectKey: ObjectKey;
}

/** An object that was copied and read back. */
export interface FinishedMove {
  readonly digest: Digest;
  /** The key that the blob had when the copy began. */
  readonly from: ObjectKey;
  /** The key that was held while bytes were written. */
  readonly held: ObjectKey;
  /** The key that the copy is read by. */
  readonly to: ObjectKey;
  /** What else the copy left: doomed with the commit. */
  readonly residue?: ObjectKey;
  /** How long the old object stays, for who reads it. */
  readonly keepMs: number;
}

/** What other rows still need of a store besides blobs. */
export interface BoundRows {
  readonly uploads: number;
  readonly doomed: number;
}

/**
 * Rows of a migration of objects from store to store. A store is told by the form of its keys, a regular expression. Each
 * method is one short transaction; several migrations may run.
 */
export interface ObjectMoves {
  /** How many blobs have keys of another form, and the bytes of all of them. */
  countMisplaced(keyPattern: string): Promise<{ readonly blobs: number; readonly sizeBytes: number }>;
  /** At most `limit` of those blobs, in the order of their keys, behind `after`. */
  misplaced(keyPattern: string, page: { readonly after?: ObjectKey; readonly limit: number }): Promise<MisplacedBlob[]>;
  /** Uploads under way and objects to be removed whose keys have another form. */
  countBound(keyPattern: string): Promise<BoundRows>;
  /** Dooms a key before anything is written under it, to be removed after `holdMs`: a crash leaves nothing unknown. */
  hold(key: ObjectKey, holdMs: number): Promise<void>;
  /** Puts the removal off, to `holdMs` from now; false where it may have begun. */
  holdOn(key: ObjectKey, holdMs: number): Promise<boolean>;
  /**
   * The commit: the blob has its copy's key, the copy is doomed no more, and the old object is, for later. False, and
   * nothing is changed, where the blob is gone or has another key by now, or the hold was lost.
   */
  finish(move: FinishedMove): Promise<boolean>;
  /**
   * Dooms a held key for removal now; nothing, where a blob is read by `to`. Only for a copy whose commit was never tried, or
   * has ended.
   */
  giveUp(key: ObjectKey, to?: ObjectKey): Promise<void>;
}
