import type { Digest, Tag } from '@entrepot/oci';

/** A manifest that has a row: one that readers find, or one that was deleted and not collected yet. */
export interface KeptManifest {
  readonly id: string;
  /** Of its payload. */
  readonly sizeBytes: number;
  readonly isDeleted: boolean;
}

/** What a tag meant; without a digest where there was no such tag. */
export interface TagValue {
  readonly digest: Digest | undefined;
}

/** A manifest that readers find again; its size is that of its payload and of the blobs that it names. */
export interface RestoredManifest {
  readonly digest: Digest;
  readonly sizeBytes: number;
}

/** Statements of a transaction that take back what was deleted, or see to it that nobody can. */
export interface UndoStatements {
  /** Locks the row of a manifest, deleted or not; undefined where it is gone for good. */
  lockKept(repositoryId: string, digest: Digest): Promise<KeptManifest | undefined>;
  /**
   * Gives a locked manifest back to its readers, and of an index every entry that was deleted. Each counts as used now and
   * gets a review. What sparse indexes awaited becomes an entry of theirs.
   */
  restore(repositoryId: string, manifestId: string, graceMs: number): Promise<RestoredManifest[]>;
  /** What the tag meant before its last change; undefined where it has no history. */
  valueBefore(repositoryId: string, tag: Tag): Promise<TagValue | undefined>;
  /** What the tag meant at that time; undefined where its history begins later. */
  valueAt(repositoryId: string, tag: Tag, time: Date): Promise<TagValue | undefined>;
  /** Whether the tag ever meant the digest. */
  hadValue(repositoryId: string, tag: Tag, digest: Digest): Promise<boolean>;
  /** Forgets what the tag meant, so that nothing is held for it; what it meant gets a review that is due now. */
  forgetTag(repositoryId: string, tag: Tag): Promise<void>;
  /** Digests of at most ten deleted indexes of the repository that list this manifest. */
  deletedParentsOf(manifestId: string): Promise<Digest[]>;
  /** Digests of the manifests that an index lists, deleted ones included. */
  entriesOf(manifestId: string): Promise<Digest[]>;
  /**
   * Whether a tag means the manifest, or did so before a change that is younger than `undoMs` and that its history knows; or an
   * index lists it, deleted or not; or one of these is so for a referrer of it that is not deleted, or for one of that.
   */
  isNeeded(manifestId: string, undoMs: number): Promise<boolean>;
}
