import {
  newReviewTally,
  reviewContent,
  type ReviewFailure,
  type Reviews,
  type ReviewTally,
  type ReviewTerms,
} from '@entrepot/content';

/** Nothing is kept for a time. */
export const AT_ONCE: ReviewTerms = { graceMs: 0, undoMs: 0, untaggedMs: 0, orphansMs: 0 };

function refuse({ subject, error }: ReviewFailure): never {
  throw new Error(`the review of ${subject} failed`, { cause: error });
}

/** Rounds until nothing is due. A task that fails is an error, unless somebody else takes it. */
export async function collectAll(
  reviews: Reviews,
  terms: Partial<ReviewTerms> = {},
  onFailure: (failure: ReviewFailure) => void = refuse,
): Promise<ReviewTally> {
  const tally = newReviewTally();
  const { signal } = new AbortController();
  while (await reviewContent({ reviews, terms: { ...AT_ONCE, ...terms }, signal, onFailure }, tally));
  return tally;
}
