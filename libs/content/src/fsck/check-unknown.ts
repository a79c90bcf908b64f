import type { JudgedCandidates, UnknownObject } from '../ports/sweep-candidates.js';
import { lookAgain, type StorePlace } from '../sweep/compare-store.js';
import type { StoreFinding, StoreTally } from './store-finding.js';
import type { StoreRoom } from './store-room.js';

const JUDGED_PAGE = 500;

/**
 * Objects that no row knows, at a second look either. Those that a sweep noted before are on their way out and no finding;
 * the others are noted for it where `repairs`.
 */
export async function* checkUnknown(
  room: StoreRoom,
  place: StorePlace,
  { unknown, tally }: { readonly unknown: readonly UnknownObject[]; readonly tally: StoreTally },
): AsyncGenerator<StoreFinding> {
  if (unknown.length === 0) return;
  const noted = await room.candidates.find(unknown.map(({ key }) => key));
  const confirmed: UnknownObject[] = [];
  for (const object of unknown) {
    room.signal.throwIfAborted();
    const found = await lookAgain(object, place, room.ledger);
    if (found === undefined) continue;
    confirmed.push(found);
    if (noted.has(found.key)) tally.waiting += 1;
    else yield describeUnknown(found, room);
  }
  if (room.repairs && room.ownsStores && confirmed.length > 0) await room.candidates.note(room.run, confirmed);
}

function describeUnknown(
  { key, beside, path, sizeBytes, modifiedAt }: UnknownObject,
  { repairs, ownsStores }: StoreRoom,
): StoreFinding {
  const what = beside === undefined ? 'no row knows it' : `it was left beside ${beside}`;
  const note = `${path === undefined ? '' : `${path}: `}${what}; ${sizeBytes} bytes, modified ${modifiedAt.toISOString()}`;
  const unknown = { kind: 'object-unknown', key } as const;
  if (!ownsStores) return { ...unknown, isRepaired: false, isBeyondRepair: true, note: `${note}; ${STRANGER}` };
  if (!repairs) return { ...unknown, isRepaired: false, note };
  return { ...unknown, isRepaired: true, note: `${note}; noted: the sweep removes it when it is old enough` };
}

/** Why unknown objects are left alone. */
const STRANGER = 'left alone, as the storage has no recovery log of this database: it may be that of another one';

/** Dooms by the sweep's rule what it, or an earlier check, had noted and what this check saw again. */
export async function doomNoted(room: StoreRoom, { store, keyPattern }: StorePlace): Promise<number> {
  const olderThan = new Date((await store.now()).getTime() - room.ageMs);
  let doomed = 0;
  let page: JudgedCandidates[] = [];
  do {
    const after = page.at(-1)?.doomedKey;
    const terms = { run: room.run, keyPattern, olderThan, limit: JUDGED_PAGE };
    page = await room.candidates.judge({ ...terms, ...(after !== undefined && { after }) });
    for (const judged of page) if (judged.isDoomed) doomed += judged.objects;
  } while (page.length === JUDGED_PAGE);
  return doomed;
}
