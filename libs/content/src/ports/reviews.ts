/** What garbage collection keeps for how long, by the settings of the process that looks. */
export interface ReviewTerms {
  /** For content that was pushed, or lost its reference, a short while ago. */
  readonly graceMs: number;
  /** For what was deleted, or left by a tag. */
  readonly undoMs: number;
  /** For manifests without a tag, after they were pushed or pulled last; namespaces may say otherwise. */
  readonly untaggedMs: number | 'keep';
  /** For referrers without their subject. */
  readonly orphansMs: number;
}

/** A task that could not be done; it is put off, longer each time. */
export interface ReviewFailure {
  readonly subject: string;
  readonly error: unknown;
}

/** What one batch did. */
export interface ReviewBatch {
  /** Tasks that were taken, whatever came of them; where it is 0 none is due that another worker does not have. */
  readonly taken: number;
  readonly removed: number;
  readonly failures: readonly ReviewFailure[];
}

/** What of a deleted repository was removed; `removed` is 1 where nothing is left of it. */
export interface RepositoryBatch extends ReviewBatch {
  readonly manifests: number;
  readonly links: number;
}

/** What reviews would remove: counts, and the bytes of objects. */
export interface PreviewedRemovals {
  readonly repositories: number;
  readonly manifests: number;
  readonly links: number;
  readonly blobs: number;
  /** Of those blobs, and objects that are doomed already. */
  readonly objects: number;
  readonly bytes: number;
}

export interface ReviewPreview {
  /** By a review of this moment. */
  readonly now: PreviewedRemovals;
  /** By later ones, if nobody pushes, pulls or restores anything. */
  readonly later: PreviewedRemovals;
}

/** A place in the order in which manifests were deleted, as `reviewDeleted` told it. */
export interface DeletionPlace {
  readonly deletedAt: string;
  readonly id: string;
}

/** `taken`: tasks that were made due. */
export interface DeletedBatch extends ReviewBatch {
  /** Where the next look begins; undefined where there is no more to look at. */
  readonly last: DeletionPlace | undefined;
}

/** Steps within the transaction of a batch: rows are locked; everything is decided and nothing committed. */
export type ReviewStep = `${'take' | 'decide'}${'Repository' | 'Manifests' | 'Links' | 'Blobs'}`;

/**
 * Looks that garbage collection owes. Each method is one short transaction that waits for nobody: rows that others have
 * locked are passed over. Several workers may run. What is due and since when is said by the clock of the database.
 */
export interface Reviews {
  /**
   * Compares the terms, and the rules of namespaces, with those of the last look, and brings tasks forward that wait by one that
   * was changed: one page of them. Nothing is taken where nothing is left to do, or where it failed.
   */
  noteTerms(terms: ReviewTerms): Promise<ReviewBatch>;
  /**
   * Removes at most `limit` manifests or links of a repository whose undo is over, and at last itself; of one that is not
   * `except`, whose ids are the subjects of failures.
   */
  removeRepository(undoMs: number, limit: number, except: readonly string[]): Promise<RepositoryBatch>;
  /**
   * Looks at `limit` deleted manifests whose undo is over, from those on that were deleted after `after`, and makes reviews due
   * of those that have none and that nothing lists.
   */
  reviewDeleted(undoMs: number, limit: number, after: DeletionPlace | undefined): Promise<DeletedBatch>;
  reviewManifests(terms: ReviewTerms, limit: number): Promise<ReviewBatch>;
  reviewLinks(limit: number): Promise<ReviewBatch>;
  /** Blobs that go leave a doomed object. */
  reviewBlobs(graceMs: number, limit: number): Promise<ReviewBatch>;
  /** Says what would go, and changes nothing. It looks at all that is owed a review, and takes as long. */
  previewReview(terms: ReviewTerms): Promise<ReviewPreview>;
}
