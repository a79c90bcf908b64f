import type { BlobStore } from '../ports/blob-store.js';
import type { Purge } from '../ports/purge.js';

const BATCH = 100;

export interface PurgeReport {
  readonly uploads: number;
  readonly objects: number;
  /** Reasons of removals that failed; they are tried again later. */
  readonly failures: readonly unknown[];
}

/**
 * Ends uploads that were abandoned and removes objects that no row needs, until nothing is due or `signal` aborts. Rows
 * first, bytes after the commit: a crash in between leaves a doomed row, and removing twice does no harm.
 */
export async function purgeStorage(
  purge: Purge,
  store: BlobStore,
  { expiryMs, signal }: { expiryMs: number; signal: AbortSignal },
): Promise<PurgeReport> {
  let uploads = 0;
  for (let doomed = BATCH; doomed === BATCH && !signal.aborted; uploads += doomed) {
    doomed = await purge.doomAbandonedUploads(expiryMs, BATCH);
  }
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
  return { uploads, objects, failures };
}
