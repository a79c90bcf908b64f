import type { BlobStore, ObjectWriter } from '../ports/blob-store.js';
import type { Purge } from '../ports/purge.js';
import type { Reviews, ReviewStep } from '../ports/reviews.js';
import type { ContentTransaction, UnitOfWork } from '../ports/unit-of-work.js';
import type { Uploads } from '../ports/uploads.js';

type PointOf<Port extends string, Operations> = `${Port}.${Extract<keyof Operations, string>}:${'before' | 'after'}`;

/** A moment before or after an operation of a port. */
export type PortPoint =
  | PointOf<'uploads', Uploads>
  | PointOf<'store', BlobStore>
  | PointOf<'writer', ObjectWriter>
  | PointOf<'work', UnitOfWork>
  | PointOf<'transaction', ContentTransaction>
  | PointOf<'purge', Purge>
  | PointOf<'reviews', Reviews>
  | `review.${ReviewStep}:after`;

/**
 * The commit protocol of a blob, step by step: every state that a crash can leave behind lies between two of these. What a
 * store does within one operation is tried at its own wire.
 */
export const BLOB_POINTS = [
  /** The upload has a row, and the store knows nothing. */
  'uploads.start:after',
  /** A request holds the lease. */
  'uploads.lease:after',
  /** The store has begun an object. */
  'store.write:after',
  /** It has taken bytes that no row speaks of. */
  'writer.write:after',
  /** Bytes are durable, and no row says so. */
  'writer.suspend:after',
  /** The row says so, and the client was not told. */
  'uploads.release:after',
  /** All bytes are there, and the object is not complete. */
  'writer.complete:before',
  /** The object is complete, and no row speaks of it. */
  'writer.complete:after',
  /** The blob is committed, and the client was not told. */
  'uploads.finish:after',
] as const satisfies readonly PortPoint[];

/** The transaction of a manifest, statement by statement, and its commit that nobody was told of. */
export const MANIFEST_POINTS = [
  'transaction.lockTags:after',
  'transaction.insertManifest:after',
  'transaction.insertReferences:after',
  'transaction.moveTags:after',
  'transaction.record:after',
  'work.run:after',
] as const satisfies readonly PortPoint[];

/** Ends of uploads that nobody finished, and of objects that no row needs. */
export const REMOVAL_POINTS = [
  'purge.doomAbandonedUploads:after',
  'purge.claimDoomedObjects:after',
  'store.removeMany:after',
  'purge.forgetDoomedObjects:after',
] as const satisfies readonly PortPoint[];

/** Steps of the collector: within its transactions, where it holds its locks, and after their commits. */
export const REVIEW_POINTS = [
  'reviews.noteTerms:after',
  'review.takeRepository:after',
  'review.decideRepository:after',
  'reviews.removeRepository:after',
  'reviews.reviewDeleted:after',
  'review.takeManifests:after',
  'review.decideManifests:after',
  'reviews.reviewManifests:after',
  'review.takeLinks:after',
  'review.decideLinks:after',
  'reviews.reviewLinks:after',
  'review.takeBlobs:after',
  'review.decideBlobs:after',
  'reviews.reviewBlobs:after',
] as const satisfies readonly PortPoint[];

export const FAIL_POINTS = [...BLOB_POINTS, ...MANIFEST_POINTS, ...REMOVAL_POINTS, ...REVIEW_POINTS] as const;
