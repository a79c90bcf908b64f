import type { SettingsSource } from '../standalone/settings.js';
import { withContent } from './with-content.js';

/** No undo is as long: only what was condemned is over it. */
const FIFTY_YEARS_MS = 50 * 365 * 86_400_000;
const CHUNK = 500;

/**
 * Removes the rows of repositories that were purged, chunk by chunk. What a worker removes at the same time is left to
 * it, and so is what is left where this is interrupted.
 */
export async function drainPurged(source: SettingsSource): Promise<void> {
  await withContent(source, async ({ reviews }) => {
    for (let taken = 1; taken > 0;) {
      const batch = await reviews.removeRepository(FIFTY_YEARS_MS, CHUNK, []);
      if (batch.failures[0]) throw batch.failures[0].error;
      taken = batch.taken;
    }
  });
}
