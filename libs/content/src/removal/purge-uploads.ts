import type { Purge } from '../ports/purge.js';

const BATCH = 100;
const FORGET_BATCH = 10_000;

/**
 * How long it is known that an upload was finished, and by which digest: a balancer or a client that sends the same PUT
 * again does so within moments of the first one's end, or after the `Retry-After` of a 503.
 */
const FINISHED_KEPT_MS = 3_600_000;

/**
 * Ends uploads that had no request for `ttlMs`, until there is none or `signal` aborts: rows only, their objects are doomed.
 * Forgets uploads that were finished an hour ago or earlier. Resolves with how many were ended.
 */
export async function purgeUploads(purge: Purge, ttlMs: number, signal: AbortSignal): Promise<number> {
  let uploads = 0;
  for (let doomed = BATCH; doomed === BATCH && !signal.aborted; uploads += doomed) {
    doomed = await purge.doomAbandonedUploads(ttlMs, BATCH);
  }
  for (let forgotten = FORGET_BATCH; forgotten === FORGET_BATCH && !signal.aborted;) {
    forgotten = await purge.forgetFinishedUploads(FINISHED_KEPT_MS, FORGET_BATCH);
  }
  return uploads;
}
