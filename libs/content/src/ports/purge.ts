import type { ObjectKey } from './blob-store.js';

/** An upload that nobody finished. */
export interface AbandonedUpload {
  readonly uploadId: string;
  readonly repositoryName: string;
  /** As far as it came. */
  readonly sizeBytes: number;
  /** When it had its last request. */
  readonly touchedAt: Date;
}

/** Rows that say what may be removed from the store. Each method is one short transaction; several workers may run. */
export interface Purge {
  /** Dooms the objects of at most `limit` uploads that nobody touched for `expiryMs` and nobody has leased. */
  doomAbandonedUploads(expiryMs: number, limit: number): Promise<AbandonedUpload[]>;
  /** The same uploads in the order of their ids, behind `after`; nothing is changed. */
  abandonedUploads(
    expiryMs: number,
    page: { readonly after?: string; readonly limit: number },
  ): Promise<AbandonedUpload[]>;
  /** Forgets at most `limit` uploads that were finished longer than `keptMs` ago. Resolves with how many. */
  forgetFinishedUploads(keptMs: number, limit: number): Promise<number>;
  /** Claims at most `limit` doomed objects that are due; one that is not forgotten comes back later and later. */
  claimDoomedObjects(limit: number): Promise<ObjectKey[]>;
  /** The objects are gone from the store, which is put on the account. Resolves with what nobody else forgot before. */
  forgetDoomedObjects(keys: readonly ObjectKey[]): Promise<{ readonly objects: number; readonly bytes: number }>;
}
