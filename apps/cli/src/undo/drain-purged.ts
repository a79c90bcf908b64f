import type { SettingsSource } from '../standalone/settings.js';
import { withContent } from './with-content.js';

/** No undo is as long: only what was condemned is over it. */
const FIFTY_YEARS_MS = 50 * 365 * 86_400_000;
const CHUNK = 500;

/**
 * Removes the rows of repositories that were purged, chunk by chunk. What a worker removes at the same time is left to
 * it, and so is what is left where this is interrupted or fails: resolves with whether it came to its end.
 */
export async function drainPurged(source: SettingsSource): Promise<boolean> {
  try {
    return await withContent(source, async ({ reviews }) => {
      const failed: string[] = [];
      for (let taken = 1; taken > 0;) {
        const batch = await reviews.removeRepository(FIFTY_YEARS_MS, CHUNK, failed);
        failed.push(...batch.failures.map(({ subject }) => subject));
        taken = batch.taken;
      }
      return failed.length === 0;
    });
  } catch {
    // The purge itself is committed, and the worker that meets the same says what it is.
    return false;
  }
}
