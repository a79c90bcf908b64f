import type { StorePlace } from './compare-store.js';
import { newSweepState, type SweepState, type SweepTally } from './sweep-state.js';
import { sweepStore, type SweepRoom } from './sweep-store.js';

/**
 * Compares each store with the rows, both ways. Objects that no row knows become candidates, and are doomed where an
 * earlier sweep saw them too and they are old enough; blobs whose objects are missing, or have another size, are put into
 * quarantine. Rejects when a store or the database fails, or the signal aborts: it is gone on with from the last state
 * that was noted.
 */
export async function sweepStores(
  room: SweepRoom,
  places: readonly StorePlace[],
  from: SweepState = newSweepState(),
): Promise<SweepTally> {
  const state = from;
  for (const place of places) {
    if (state.done.includes(place.name)) continue;
    await sweepStore(room, place, state);
    state.done.push(place.name);
    state.tally.knownObjects = 0;
    delete state.after;
    delete state.storeNowMs;
    await room.note(state);
  }
  return state.tally;
}
