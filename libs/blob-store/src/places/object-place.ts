import type { ObjectKey, RecoveryLog, WalkedStore } from '@entrepot/content';

/** How a signed link answers, and for how long it does. */
export interface LinkTerms {
  readonly expirySeconds: number;
  readonly contentType: string;
  readonly contentDisposition: string;
}

/** One store among those that are open: whose keys it knows, and how its objects can be had without passing through us. */
export interface ObjectPlace {
  /** Of the driver that settings name it by. */
  readonly name: string;
  /** The directory, or the bucket, for people. */
  readonly where: string;
  /** Anchored form of its keys, in the regular expressions that JavaScript and Postgres share. No two places share a key. */
  readonly keyPattern: string;
  readonly store: WalkedStore;
  /** What of the database is written beside the objects. */
  readonly recovery: RecoveryLog;
  /** Bytes cross a network and the hands of another server, so that whole reads are verified. */
  readonly isRemote: boolean;
  /** Whether a rule of the bucket ends uploads that nobody completes; undefined where the store does not say. */
  readonly endsUploads?: () => Promise<boolean | undefined>;
  /** Bytes that it may still take; absent where it does not say. */
  readonly freeBytes?: () => Promise<number>;
  /** Makes a URL by which whoever has it may GET this one object; asks nobody. */
  readonly sign?: (key: ObjectKey, terms: LinkTerms) => Promise<string>;
  /** Path of an object below the root, for a web server that reads the same directory. */
  readonly pathOf?: (key: ObjectKey) => string;
}
