import type { BlobStore } from '../ports/blob-store.js';
import type { Purge } from '../ports/purge.js';

const BATCH = 100;

export interface RemovalReport {
  readonly objects: number;
  /** Reasons of removals that failed; they are tried again later. */
  readonly failures: readonly unknown[];
}

/**
 * Removes objects that no row needs from the store, until none is due or `signal` aborts. The row goes after the bytes: a
 * crash in between leaves a doomed row, and removing twice does no harm.
 */
export async function removeDoomedObjects(purge: Purge, store: BlobStore, signal: AbortSignal): Promise<RemovalReport> {
  const failures: unknown[] = [];
  let objects = 0;
  for (let claimed = BATCH; claimed === BATCH && !signal.aborted;) {
    const keys = await purge.claimDoomedObjects(BATCH);
    claimed = keys.length;
    for (const key of keys) {
      try {
        await store.remove(key);
        await purge.forgetDoomedObject(key);
        objects += 1;
      } catch (error) {
        failures.push(error);
      }
    }
  }
  return { objects, failures };
}
