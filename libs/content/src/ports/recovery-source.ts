import type { Digest, Tag } from '@entrepot/oci';

/** A namespace as the log knows it. */
export interface NamespaceRecord {
  readonly kind: 'namespace';
  readonly id: string;
  readonly name: string;
  readonly ownedBy: 'user' | 'organisation';
  readonly defaultVisibility: 'public' | 'private';
  /** Its own rule for untagged manifests. */
  readonly untagged?: string;
}

/** A repository; one that was deleted and can still be restored says so. */
export interface RepositoryRecord {
  readonly kind: 'repository';
  readonly id: string;
  readonly namespaceId: string;
  readonly name: string;
  readonly visibility: 'public' | 'private';
  readonly createdAt: string;
  readonly createdBy?: string;
  readonly deletedAt?: string;
  readonly deletedBy?: string;
  readonly deletedName?: string;
}

/** A manifest with its bytes; one that was deleted and can still be restored says so. */
export interface ManifestRecord {
  readonly kind: 'manifest';
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly mediaType: string;
  readonly payload: Uint8Array;
  readonly pushedAt: string;
  readonly pushedBy?: string;
  readonly deletedAt?: string;
  readonly deletedBy?: string;
  /** What it names and its repository did not hold: a sparse manifest. */
  readonly awaited?: readonly Digest[];
}

export interface TagRecord {
  readonly kind: 'tag';
  readonly repositoryId: string;
  readonly name: Tag;
  readonly digest: Digest;
  readonly updatedAt: string;
  readonly updatedBy?: string;
}

/** What is not there any more: the last word on it, until a later record. */
export type GoneRecord =
  | { readonly kind: 'namespace' | 'repository'; readonly id: string; readonly isGone: true }
  | { readonly kind: 'manifest'; readonly repositoryId: string; readonly digest: Digest; readonly isGone: true }
  | { readonly kind: 'tag'; readonly repositoryId: string; readonly name: Tag; readonly isGone: true };

/** The state of one row at a time; never a change of it. */
export type StateRecord = NamespaceRecord | RepositoryRecord | ManifestRecord | TagRecord;
export type RecoveryRecord = StateRecord | GoneRecord;
export type RecoveryKind = StateRecord['kind'];

/** Who writes the log at the moment; ends by itself when it is not renewed. */
export interface RecoveryLease {
  readonly leaseId: string;
  /** The store that is written to. */
  readonly driver: string;
}

/** Where the log stands, as the database knows it. */
export interface RecoveryPosition {
  readonly logId: string;
  readonly lastNumber: number;
  readonly writtenNumber: number;
  /** The store that has the whole log; undefined before the first snapshot. */
  readonly driver?: string;
  readonly snapshotBytes: number;
  readonly segmentCount: number;
  readonly segmentBytes: number;
}

/** What a segment has to say, under a number that is higher than any whose state was read before. */
export interface DrawnRecords {
  readonly number: number;
  /** The highest number that was known to be written by then. */
  readonly previousNumber: number;
  readonly logId: string;
  readonly records: readonly RecoveryRecord[];
  /** The marks that these records answer. */
  readonly markIds: readonly string[];
  /** There are further marks: what was drawn is consistent only together with them. */
  readonly hasMore: boolean;
}

/** How much is read at a time; one record is, however large. */
export interface RecoveryLimits {
  readonly records: number;
  readonly payloadBytes: number;
}

export interface StatePage {
  readonly records: readonly StateRecord[];
  /** Where the next page begins; undefined behind the last one. */
  readonly next?: string;
}

/**
 * The state that the log repeats, and the marks that changes of it leave. Each method is one short transaction; none is
 * called while bytes flow.
 */
export interface RecoverySource {
  /** Age of the oldest mark; undefined where there is none. */
  oldestMarkMs(): Promise<number | undefined>;
  /** Whether some store has the log of this database. */
  hasLog(): Promise<boolean>;
  /** Takes or renews the lease. Undefined where another process has it. */
  lease(lease: RecoveryLease, leaseMs: number): Promise<RecoveryPosition | undefined>;
  release(lease: RecoveryLease): Promise<void>;
  /**
   * The oldest marks with the state that they point at, all as of one moment. Undefined where there is none, where the lease
   * was lost, or where another store has the log.
   */
  draw(lease: RecoveryLease, limits: RecoveryLimits): Promise<DrawnRecords | undefined>;
  /** The records are written for good: their marks go. */
  settle(drawn: DrawnRecords, sizeBytes: number): Promise<void>;
  /** Takes a number beyond `atLeast` for a snapshot; undefined where the lease was lost. */
  beginSnapshot(lease: RecoveryLease, atLeast: number): Promise<number | undefined>;
  /** A part of the whole state, in the order of its keys. */
  page(kind: RecoveryKind, after: string | undefined, limits: RecoveryLimits): Promise<StatePage>;
  /** The snapshot is complete: from now on the lease's store has the whole log. */
  finishSnapshot(lease: RecoveryLease, number: number, sizeBytes: number): Promise<void>;
}
