import {
  newReviewTally,
  reviewContent,
  watchReviewSteps,
  watchReviews,
  type GcConfig,
  type ReviewFailure,
  type ReviewTally,
  type ReviewTerms,
  type Reviews,
} from '@entrepot/content';
import type { JobKind, JobProgress, JobResult, JobRun, ScheduledKind } from '@entrepot/jobs';
import { PostgresReviews } from '@entrepot/metadata';
import { isDryRun } from './dry-run.js';
import { every } from './every.js';
import type { KindRoom } from './kind-room.js';
import { noteNowAndThen } from './note-now-and-then.js';
import { removeObjects, type RemovedObjects } from './remove-objects.js';

type Tally = ReviewTally & { -readonly [Count in keyof RemovedObjects]: number };

/** Removes what nothing needs any more: rows along the chain of reviews, then the objects. */
export function reviewKind(room: KindRoom): ScheduledKind {
  const { config, metrics, reached, pool } = room;
  const removed = metrics.counter('gc_removed_total', 'What garbage collection removed.', ['what']);
  const failed = metrics.counter('gc_failures_total', 'Reviews and removals that failed and are tried again.', []);
  const plain = new PostgresReviews(pool, reached && watchReviewSteps(reached));
  const reviews = reached ? watchReviews(plain, reached) : plain;
  const kind: JobKind = {
    name: 'review',
    mayRunTwice: true,
    async run(job) {
      if (isDryRun(job.parameters)) return preview(reviews, termsOf(config.gc), job);
      const tally = await collect(room, reviews, job);
      removed.inc({ what: 'repository' }, tally.repositoriesRemoved);
      removed.inc({ what: 'manifest' }, tally.manifestsRemoved);
      removed.inc({ what: 'link' }, tally.linksRemoved);
      removed.inc({ what: 'blob' }, tally.blobsRemoved);
      removed.inc({ what: 'object' }, tally.objectsRemoved);
      failed.inc(tally.failures);
      return { ...tally } satisfies JobResult;
    },
  };
  return { kind, schedule: every(config.gc.interval) };
}

/** Rounds along the chain, each with the removal of its objects, until nothing is due. */
async function collect(room: KindRoom, reviews: Reviews, job: JobRun): Promise<Tally> {
  const { signal } = job;
  const tally: Tally = { ...newReviewTally(), objectsRemoved: 0, bytesRemoved: 0, failures: 0 };
  const review = {
    reviews,
    terms: termsOf(room.config.gc),
    signal,
    onProgress: noteNowAndThen(job, reviewsOf),
    onFailure: ({ subject, error }: ReviewFailure) => {
      tally.failures += 1;
      job.log(`the review of ${subject} failed and is tried again: ${String(error)}`);
    },
  };
  for (let mayBeMore = true; mayBeMore && !signal.aborted;) {
    mayBeMore = await reviewContent(review, tally);
    const { objectsRemoved, bytesRemoved, failures } = await removeObjects(room, job);
    tally.objectsRemoved += objectsRemoved;
    tally.bytesRemoved += bytesRemoved;
    tally.failures += failures;
  }
  await job.note(reviewsOf(tally));
  return tally;
}

/** Says what a review would remove, now and later. */
async function preview(reviews: Reviews, terms: ReviewTerms, job: JobRun): Promise<JobResult> {
  const { now, later } = await reviews.previewReview(terms);
  for (const [when, { repositories, manifests, links, blobs, objects, bytes }] of Object.entries({ now, later })) {
    job.log(
      `would go ${when}: ${repositories} repositories, ${manifests} manifests, ${links} links, ${blobs} blobs; ` +
        `${objects} objects of ${bytes} bytes`,
    );
  }
  return {
    dryRun: true,
    ...Object.fromEntries(Object.entries(now).map(([what, count]) => [`${what}Now`, count])),
    ...Object.fromEntries(Object.entries(later).map(([what, count]) => [`${what}Later`, count])),
  };
}

function reviewsOf({ manifestsReviewed, linksReviewed, blobsReviewed }: Readonly<ReviewTally>): JobProgress {
  return { done: manifestsReviewed + linksReviewed + blobsReviewed, unit: 'reviews' };
}

function termsOf({ grace, undo, untagged, orphans }: GcConfig): ReviewTerms {
  return { graceMs: grace, undoMs: undo, untaggedMs: untagged, orphansMs: orphans };
}
