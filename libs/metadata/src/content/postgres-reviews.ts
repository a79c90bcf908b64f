import type { RepositoryBatch, ReviewBatch, Reviews, ReviewTerms } from '@entrepot/content';
import type pg from 'pg';
import { isAway } from '../database/errors.js';
import { noteTerms } from './note-terms.js';
import { removeRepositoryChunk, takeRepository } from './remove-repository-chunk.js';
import { inReview, reviewBatch } from './review-batches.js';
import { blobReviews } from './review-blobs.js';
import { reviewDeleted } from './review-deleted.js';
import { LINK_REVIEWS } from './review-links.js';
import { manifestReviews } from './review-manifests.js';

export class PostgresReviews implements Reviews {
  constructor(private readonly pool: pg.Pool) {}

  noteTerms(terms: ReviewTerms): Promise<boolean> {
    return inReview(this.pool, (tx) => noteTerms(tx, terms));
  }

  async removeRepository(undoMs: number, limit: number, except: readonly string[]): Promise<RepositoryBatch> {
    let taken: string | undefined;
    try {
      const chunk = await inReview(this.pool, async (tx) => {
        taken = await takeRepository(tx, undoMs, except);
        return taken === undefined ? undefined : removeRepositoryChunk(tx, taken, limit);
      });
      if (!chunk) return { taken: 0, removed: 0, manifests: 0, links: 0, failures: [] };
      return { ...chunk, taken: 1, removed: chunk.isGone ? 1 : 0, failures: [] };
    } catch (error) {
      if (taken === undefined || isAway(error)) throw error;
      return { taken: 1, removed: 0, manifests: 0, links: 0, failures: [{ subject: taken, error }] };
    }
  }

  reviewDeleted(undoMs: number, limit: number): Promise<number> {
    return inReview(this.pool, (tx) => reviewDeleted(tx, undoMs, limit));
  }

  reviewManifests(terms: ReviewTerms, limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.pool, manifestReviews(terms), limit);
  }

  reviewLinks(limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.pool, LINK_REVIEWS, limit);
  }

  reviewBlobs(graceMs: number, limit: number): Promise<ReviewBatch> {
    return reviewBatch(this.pool, blobReviews(graceMs), limit);
  }
}
