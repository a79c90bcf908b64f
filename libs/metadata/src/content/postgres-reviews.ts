import type {
  DeletedBatch,
  DeletionPlace,
  RepositoryBatch,
  ReviewBatch,
  ReviewPreview,
  Reviews,
  ReviewTerms,
} from '@entrepot/content';
import type pg from 'pg';
import { isAway } from '../database/errors.js';
import { noteTerms } from './note-terms.js';
import { previewReview } from './preview-review.js';
import { removeRepositoryChunk, takeRepository } from './remove-repository-chunk.js';
import { inReview, reviewBatch, tryStep, type AtStep, type ReviewRoom } from './review-batches.js';
import { blobReviews } from './review-blobs.js';
import { reviewDeleted } from './review-deleted.js';
import { LINK_REVIEWS } from './review-links.js';
import { manifestReviews } from './review-manifests.js';

export class PostgresReviews implements Reviews {
  /** `atStep`: told of each step within a transaction. */
  constructor(
    private readonly pool: pg.Pool,
    private readonly atStep?: AtStep,
  ) {}

  get #room(): ReviewRoom {
    return { pool: this.pool, atStep: this.atStep };
  }

  noteTerms(terms: ReviewTerms): Promise<ReviewBatch> {
    return tryStep('changed settings', async () => ((await inReview(this.pool, (tx) => noteTerms(tx, terms))) ? 1 : 0));
  }

  async removeRepository(undoMs: number, limit: number, except: readonly string[]): Promise<RepositoryBatch> {
    let taken: string | undefined;
    try {
      const chunk = await inReview(this.pool, async (tx) => {
        taken = await takeRepository(tx, undoMs, except);
        if (taken === undefined) return undefined;
        await this.atStep?.('takeRepository');
        const removed = await removeRepositoryChunk(tx, taken, limit);
        await this.atStep?.('decideRepository');
        return removed;
      });
      if (!chunk) return { taken: 0, removed: 0, manifests: 0, links: 0, failures: [] };
      return { ...chunk, taken: 1, removed: chunk.isGone ? 1 : 0, failures: [] };
    } catch (error) {
      if (taken === undefined || isAway(error)) throw error;
      return { taken: 1, removed: 0, manifests: 0, links: 0, failures: [{ subject: taken, error }] };
    }
  }

  async reviewDeleted(undoMs: number, limit: number, after: DeletionPlace | undefined): Promise<DeletedBatch> {
    let last: DeletionPlace | undefined;
    const batch = await tryStep('deleted manifests', async () => {
      const page = await inReview(this.pool, (tx) => reviewDeleted(tx, { undoMs, limit, after }));
      last = page.last;
      return page.made;
    });
    return { ...batch, last };
  }

  reviewManifests(terms: ReviewTerms, limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.#room, manifestReviews(terms), limit);
  }

  reviewLinks(limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.#room, LINK_REVIEWS, limit);
  }

  reviewBlobs(graceMs: number, limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.#room, blobReviews(graceMs), limit);
  }

  previewReview(terms: ReviewTerms): Promise<ReviewPreview> {
    return previewReview(this.pool, terms);
  }
}
