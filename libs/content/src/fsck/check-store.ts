import type { BlobFault } from '../ports/quarantine.js';
import { StoreUnavailable } from '../ports/blob-store.js';
import { compareStore, type ComparedStep, type StorePlace } from '../sweep/compare-store.js';
import type { AmissBlob } from '../sweep/confirm-fault.js';
import { FaultGate, type JudgedFault } from '../sweep/fault-gate.js';
import { checkAmiss, checkBytes, checkQuarantined, checkRecord } from './check-blob.js';
import { checkUnknown, doomNoted } from './check-unknown.js';
import type { StoreFinding, StoreFindingKind, StoreTally } from './store-finding.js';
import type { StoreRoom } from './store-room.js';

/** Blobs that are looked at closely at the same time. */
const PARALLEL = 4;

/**
 * Compares one store with the rows, both ways, while both change, and yields what is found at a second look too. Changes
 * nothing but where `repairs`: blobs are put into quarantine, records written anew, and unknown objects given to the sweep.
 * Rejects with `StoreUnavailable` where it cannot look, or the store shows nothing that it should have.
 */
export async function* checkStore(room: StoreRoom, place: StorePlace, tally: StoreTally): AsyncGenerator<StoreFinding> {
  const gate = new FaultGate<SizedFault>(false);
  let [soundObjects, doubted] = [0, 0];
  for await (const step of compareStore({ place, ledger: room.ledger })) {
    room.signal.throwIfAborted();
    tally.objects += step.objects;
    tally.bytes += step.sizeBytes;
    yield* checkUnknown(room, place, { unknown: step.unknown, tally });
    const { amiss, findings } = await lookClosely(room, place, step);
    yield* findings;
    soundObjects += step.sound.length;
    const judged = gate.pass(amiss, step.sound.length);
    doubted += judged.filter(({ isTrusted }) => !isTrusted).length;
    yield* asFindings(room, judged);
    room.note();
  }
  const held = gate.end();
  doubted += held.filter(({ isTrusted }) => !isTrusted).length;
  yield* asFindings(room, held);
  refuseStranger(doubted, soundObjects);
  if (room.repairs && room.ownsStores) tally.doomed += await doomNoted(room, place);
}

/** What is missing was named, and yet nothing was looked at: a store like that says nothing of the blobs. */
function refuseStranger(doubted: number, soundObjects: number): void {
  if (doubted === 0 || soundObjects > 0) return;
  throw new StoreUnavailable(
    `it shows none of ${doubted} objects that it should have: is it the right one, and is it mounted?`,
  );
}

interface CloseLook {
  readonly amiss: readonly SizedFault[];
  readonly findings: readonly StoreFinding[];
}

interface SizedFault extends AmissBlob {
  /** It was read: the fault is in its bytes. */
  readonly wasRead?: true;
}

async function lookClosely(room: StoreRoom, place: StorePlace, step: ComparedStep): Promise<CloseLook> {
  const { amiss, sound, quarantined } = step;
  const faults: SizedFault[] = [];
  const findings: StoreFinding[] = [];
  await inParallel(amiss, async (blob) => {
    const fault = await checkAmiss(room, place, blob);
    if (fault) faults.push(fault);
  });
  await inParallel(sound, async (seen) => {
    const fault = await checkBytes(room, place, seen);
    if (fault) faults.push({ ...fault, wasRead: true });
    const finding = await checkRecord(room, place, seen);
    if (finding) findings.push(finding);
  });
  await inParallel(quarantined, async (blob) => {
    const finding = await checkQuarantined(room, blob);
    if (finding) findings.push(finding);
  });
  return { amiss: faults, findings };
}

async function* asFindings(room: StoreRoom, faults: readonly JudgedFault<SizedFault>[]): AsyncGenerator<StoreFinding> {
  for (const { amiss, isTrusted } of faults) {
    const { blob, fault, wasRead } = amiss;
    const { digest, objectKey: key } = blob;
    const isRepaired = room.repairs && isTrusted && (await room.quarantine.quarantine(digest, key, fault));
    const more = isRepaired ? '; in quarantine until it is pushed again' : isTrusted ? '' : DOUBT;
    const kind = kindOf(fault, wasRead === true);
    const beyond = isTrusted ? {} : ({ isBeyondRepair: true } as const);
    yield { kind, key, digest, isRepaired, ...beyond, note: `${NOTES[fault]}${more}` };
  }
}

/** Why nothing is repaired in a store that may be the wrong one. */
const DOUBT = ', nor any other that it should have: is it the right one, and is it mounted?';

const NOTES: Readonly<Record<BlobFault, string>> = {
  missing: 'the store has no such object',
  short: 'the object ends early',
  corrupt: 'the object holds other bytes',
};

function kindOf(fault: BlobFault, wasRead: boolean): StoreFindingKind {
  if (fault === 'missing') return 'object-missing';
  return fault === 'corrupt' && wasRead ? 'object-corrupt' : 'object-size';
}

/** All that began has ended when this does. */
async function inParallel<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let start = 0; start < items.length; start += PARALLEL) {
    const outcomes = await Promise.allSettled(items.slice(start, start + PARALLEL).map(work));
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  }
}
