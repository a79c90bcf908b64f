import type { DeletionPlace, ReviewBatch, ReviewFailure, Reviews, ReviewTerms } from '../ports/reviews.js';
import { withRest } from '../pace/with-rest.js';

/** Tasks of one transaction: its locks are held for some milliseconds, and clients may have to wait for them. */
const MANIFESTS = 50;
const LINKS = 500;
const BLOBS = 500;
const DELETED = 500;
const CHUNK = 200;
/** Batches of one kind in a row, so that the bytes of what goes first are freed before the last is looked at. */
const ROUND = 100;

/** What a review did, and what became due by it. */
export interface ReviewTally {
  repositoriesRemoved: number;
  manifestsReviewed: number;
  manifestsRemoved: number;
  linksReviewed: number;
  linksRemoved: number;
  blobsReviewed: number;
  blobsRemoved: number;
}

export interface ContentReview {
  readonly reviews: Reviews;
  readonly terms: ReviewTerms;
  readonly signal: AbortSignal;
  /** Told after each batch. */
  onProgress?(tally: Readonly<ReviewTally>): Promise<void>;
  onFailure?(failure: ReviewFailure): void;
}

export function newReviewTally(): ReviewTally {
  return {
    repositoriesRemoved: 0,
    manifestsReviewed: 0,
    manifestsRemoved: 0,
    linksReviewed: 0,
    linksRemoved: 0,
    blobsReviewed: 0,
    blobsRemoved: 0,
  };
}

/**
 * One round along the chain: deleted repositories, manifests, links, blobs. What a step removes makes tasks of the next one
 * due, so that a round takes all that is due at its beginning, up to a bound. Adds to the tally; resolves with false where
 * there was nothing left to do.
 */
export async function reviewContent(review: ContentReview, tally: ReviewTally): Promise<boolean> {
  const failed: string[] = [];
  const steps = [
    () => review.reviews.noteTerms(review.terms),
    () => removeRepository(review, tally, failed),
    manifestReviews(review, tally),
    () => reviewLinks(review, tally),
    () => reviewBlobs(review, tally),
  ];
  let isDone = true;
  for (const step of steps) isDone = (await repeated(review, tally, step)) && isDone;
  return !isDone;
}

interface StepBatch extends ReviewBatch {
  /** Nothing was taken of what was looked at, and there is more. */
  readonly hasMore?: boolean;
}

/** Resolves with whether nothing was done: there was no task, or each of them failed and waits for its next attempt. */
async function repeated(
  { signal, onProgress, onFailure }: ContentReview,
  tally: ReviewTally,
  step: () => Promise<StepBatch>,
): Promise<boolean> {
  let isDone = true;
  for (let batch = 0; batch < ROUND && !signal.aborted;) {
    const { taken, failures, hasMore = false } = await withRest(step, signal);
    for (const failure of failures) onFailure?.(failure);
    if (taken === 0 && !hasMore) return isDone;
    if (taken > 0) batch += 1;
    isDone &&= taken === failures.length;
    await onProgress?.(tally);
  }
  return false;
}

/** One that fails is left to the next run. */
async function removeRepository(
  { reviews, terms }: ContentReview,
  tally: ReviewTally,
  failed: string[],
): Promise<ReviewBatch> {
  const batch = await reviews.removeRepository(terms.undoMs, CHUNK, failed);
  tally.repositoriesRemoved += batch.removed;
  tally.manifestsRemoved += batch.manifests;
  tally.linksRemoved += batch.links;
  failed.push(...batch.failures.map(({ subject }) => subject));
  return batch;
}

/**
 * Batches of what is due; where nothing is, some of what was deleted is made due. So there are never many of those, and none is
 * looked at twice in a round, whatever else keeps it from going.
 */
function manifestReviews(review: ContentReview, tally: ReviewTally): () => Promise<StepBatch> {
  const { reviews, terms } = review;
  let after: DeletionPlace | undefined;
  let hasMore = true;
  return async () => {
    const batch = await reviewManifests(review, tally);
    if (batch.taken > 0 || !hasMore) return batch;
    const deleted = await reviews.reviewDeleted(terms.undoMs, DELETED, after);
    after = deleted.last;
    hasMore = after !== undefined;
    return { ...deleted, hasMore };
  };
}

async function reviewManifests({ reviews, terms }: ContentReview, tally: ReviewTally): Promise<ReviewBatch> {
  const batch = await reviews.reviewManifests(terms, MANIFESTS);
  tally.manifestsReviewed += batch.taken;
  tally.manifestsRemoved += batch.removed;
  return batch;
}

async function reviewLinks({ reviews }: ContentReview, tally: ReviewTally): Promise<ReviewBatch> {
  const batch = await reviews.reviewLinks(LINKS);
  tally.linksReviewed += batch.taken;
  tally.linksRemoved += batch.removed;
  return batch;
}

async function reviewBlobs({ reviews, terms }: ContentReview, tally: ReviewTally): Promise<ReviewBatch> {
  const batch = await reviews.reviewBlobs(terms.graceMs, BLOBS);
  tally.blobsReviewed += batch.taken;
  tally.blobsRemoved += batch.removed;
  return batch;
}
