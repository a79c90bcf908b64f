import {
  newReviewTally,
  removeDoomedObjects,
  reviewContent,
  watchReviewSteps,
  watchReviews,
  type GcConfig,
  type ReviewTally,
  type ReviewTerms,
  type Reviews,
} from '@entrepot/content';
import type { JobKind, JobResult, JobRun, ScheduledKind } from '@entrepot/jobs';
import { PostgresReviews } from '@entrepot/metadata';
import { isDryRun } from './dry-run.js';
import { every } from './every.js';
import type { KindRoom } from './kind-room.js';

/** Progress is a write of its own. */
const NOTE_INTERVAL_MS = 1000;

type Tally = ReviewTally & { objectsRemoved: number; bytesRemoved: number; failures: number };

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
async function collect({ config, purge, store }: KindRoom, reviews: Reviews, job: JobRun): Promise<Tally> {
  const { signal } = job;
  const tally: Tally = { ...newReviewTally(), objectsRemoved: 0, bytesRemoved: 0, failures: 0 };
  const onFailure = (what: string, error: unknown) => {
    tally.failures += 1;
    job.log(`${what} failed and is tried again: ${String(error)}`);
  };
  const review = {
    reviews,
    terms: termsOf(config.gc),
    signal,
    onProgress: noteNowAndThen(job),
    onFailure: ({ subject, error }: { subject: string; error: unknown }) =>
      onFailure(`the review of ${subject}`, error),
  };
  for (let mayBeMore = true; mayBeMore && !signal.aborted;) {
    mayBeMore = await reviewContent(review, tally);
    const ratePerSecond = config.gc.removalRate;
    const { objects, bytes, failures } = await removeDoomedObjects({ purge, store, ratePerSecond, signal });
    tally.objectsRemoved += objects;
    tally.bytesRemoved += bytes;
    for (const error of failures) onFailure('the removal of an object', error);
  }
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
    ...Object.fromEntries(Object.entries(now).map(([what, count]) => [`${what}Now`, count])),
    ...Object.fromEntries(Object.entries(later).map(([what, count]) => [`${what}Later`, count])),
  };
}

function termsOf({ grace, undo, untagged, orphans }: GcConfig): ReviewTerms {
  return { graceMs: grace, undoMs: undo, untaggedMs: untagged, orphansMs: orphans };
}

function noteNowAndThen(job: JobRun): (tally: Readonly<ReviewTally>) => Promise<void> {
  let notedMs = 0;
  return async ({ manifestsReviewed, linksReviewed, blobsReviewed }) => {
    if (performance.now() - notedMs < NOTE_INTERVAL_MS) return;
    notedMs = performance.now();
    await job.note({ done: manifestsReviewed + linksReviewed + blobsReviewed, unit: 'reviews' });
  };
}
