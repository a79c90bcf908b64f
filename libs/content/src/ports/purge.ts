import type { ObjectKey } from './blob-store.js';

/** Rows that say what may be removed from the store. Each method is one short transaction; several workers may run. */
export interface Purge {
  /**
   * Dooms the objects of at most `limit` uploads that nobody touched for `expiryMs` and nobody has leased. Resolves
   * with how many.
   */
  doomAbandonedUploads(expiryMs: number, limit: number): Promise<number>;
  /** Forgets at most `limit` uploads that were finished longer than `keptMs` ago. Resolves with how many. */
  forgetFinishedUploads(keptMs: number, limit: number): Promise<number>;
  /** Claims at most `limit` doomed objects that are due; one that is not forgotten comes back later and later. */
  claimDoomedObjects(limit: number): Promise<ObjectKey[]>;
  /** The objects are gone from the store, which is put on the account. Resolves with what nobody else forgot before. */
  forgetDoomedObjects(keys: readonly ObjectKey[]): Promise<{ readonly objects: number; readonly bytes: number }>;
}
