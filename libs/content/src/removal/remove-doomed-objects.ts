import type { BlobStore, ObjectKey } from '../ports/blob-store.js';
import type { Purge } from '../ports/purge.js';
import { createPace, type Pace } from '../pace/create-pace.js';
import { withRest } from '../pace/with-rest.js';

/** Claimed at once: few enough to be removed before the claim ends. */
const CLAIM = 1000;
const CLAIM_SECONDS = 20;
/** Removed at once in each store, and no more than in a second. */
const SLICE = 250;

export interface ObjectRemoval {
  readonly purge: Purge;
  readonly store: BlobStore;
  /** Objects that each store is asked to remove in a second on average; 0: as many as it can. */
  readonly ratePerSecond: number;
  readonly signal: AbortSignal;
}

export interface RemovalReport {
  readonly objects: number;
  /** Of those whose size was known. */
  readonly bytes: number;
  /** Reasons of removals that failed; they are tried again later. */
  readonly failures: readonly unknown[];
}

/**
 * Removes objects that no row needs from the store, until none is due or `signal` aborts. The row goes after the bytes: a
 * crash in between leaves a doomed row, and removing twice does no harm. What fails holds up nothing else.
 */
export async function removeDoomedObjects(removal: ObjectRemoval): Promise<RemovalReport> {
  const { purge, store, ratePerSecond, signal } = removal;
  const tally = { objects: 0, bytes: 0, failures: [] as unknown[] };
  const paces = new Map<string, Pace>();
  const [limit, size] =
    ratePerSecond === 0
      ? [CLAIM, SLICE]
      : [Math.min(CLAIM, ratePerSecond * CLAIM_SECONDS), Math.min(SLICE, ratePerSecond)];
  for (let claimed = limit; claimed === limit && !signal.aborted;) {
    const keys = await purge.claimDoomedObjects(limit);
    claimed = keys.length;
    const removals = [...Map.groupBy(keys, (key) => store.storeOf(key))].map(async ([name, inside]) => {
      const pace = paces.get(name) ?? createPace(ratePerSecond, signal);
      paces.set(name, pace);
      for (let start = 0; start < inside.length && !signal.aborted; start += size) {
        await removeSlice(removal, inside.slice(start, start + size), { pace, tally });
      }
    });
    await Promise.all(removals);
  }
  return tally;
}

async function removeSlice(
  { purge, store, signal }: ObjectRemoval,
  keys: readonly ObjectKey[],
  { pace, tally }: { pace: Pace; tally: { objects: number; bytes: number; failures: unknown[] } },
): Promise<void> {
  try {
    await pace(keys.length);
  } catch (error) {
    if (signal.aborted) return;
    throw error;
  }
  const failures = await withRest(() => store.removeMany(keys), signal);
  tally.failures.push(...failures.values());
  const gone = keys.filter((key) => !failures.has(key));
  if (gone.length === 0) return;
  const { objects, bytes } = await purge.forgetDoomedObjects(gone);
  tally.objects += objects;
  tally.bytes += bytes;
}
