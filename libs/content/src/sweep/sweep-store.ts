import { StoreUnavailable } from '../ports/blob-store.js';
import type { ObjectLedger } from '../ports/object-ledger.js';
import type { Quarantine } from '../ports/quarantine.js';
import type { JudgedCandidates, SweepCandidates, UnknownObject } from '../ports/sweep-candidates.js';
import { compareStore, type ComparedStep, type StorePlace } from './compare-store.js';
import { confirmFault, type AmissBlob } from './confirm-fault.js';
import { FaultGate, type JudgedFault } from './fault-gate.js';
import type { SweepState, SweepTally } from './sweep-state.js';

const JUDGED_PAGE = 500;

export interface SweepRoom {
  readonly ledger: ObjectLedger;
  readonly candidates: SweepCandidates;
  readonly quarantine: Quarantine;
  readonly signal: AbortSignal;
  /** Names the sweep; one that is gone on with has the same. */
  readonly run: string;
  /** How old an unknown object must be, by the clock of its store. */
  readonly ageMs: number;
  /** Say what would be done, and change nothing. */
  readonly isDry: boolean;
  /** Resolves when the sweep may look at so many more objects. */
  pace(objects: number): Promise<void>;
  /** A finding, in words. */
  log(line: string): void;
  /** Called after each step. */
  note(state: SweepState): Promise<void>;
}

/** Walks one store. The state says where from, and is written on. */
export async function sweepStore(room: SweepRoom, place: StorePlace, state: SweepState): Promise<void> {
  const { tally } = state;
  const gate = new FaultGate(tally.knownObjects > 0);
  state.storeNowMs ??= (await place.store.now()).getTime();
  const olderThan = new Date(state.storeNowMs - room.ageMs);
  const from = state.after === undefined ? {} : { after: state.after };
  for await (const step of compareStore({ place, ledger: room.ledger, ...from })) {
    room.signal.throwIfAborted();
    await room.pace(step.objects);
    countSeen(tally, step);
    await sweepUnknown(room, tally, { unknown: step.unknown, olderThan });
    const amiss = await confirmed(room, place, step);
    await quarantineAll(room, tally, gate.pass(amiss, step.sound.length));
    if (step.after !== undefined) state.after = step.after;
    await room.note(state);
  }
  await quarantineAll(room, tally, gate.end());
  refuseStranger(place, tally);
  if (!room.isDry) await judgeAll(room, place, { tally, olderThan });
}

function countSeen(tally: SweepTally, { objects, sizeBytes, sound }: ComparedStep): void {
  tally.objectsSeen += objects;
  tally.bytesSeen += sizeBytes;
  tally.knownObjects += sound.length;
}

async function sweepUnknown(
  { candidates, run, isDry, log }: SweepRoom,
  tally: SweepTally,
  { unknown, olderThan }: { readonly unknown: readonly UnknownObject[]; readonly olderThan: Date },
): Promise<void> {
  if (unknown.length === 0) return;
  const former = await candidates.find(unknown.map(({ key }) => key));
  for (const object of unknown) {
    const since = former.get(object.key)?.firstSeenAt;
    tally.unknownObjects += 1;
    tally.unknownBytes += object.sizeBytes;
    const isRipe = since !== undefined && object.modifiedAt <= olderThan;
    if (isDry && since === undefined) tally.newCandidates += 1;
    if (isDry && isRipe) countDoomed(tally, { objects: 1, sizeBytes: object.sizeBytes });
    if (since === undefined || isDry) log(describeUnknown(object, since, isRipe));
  }
  if (!isDry) tally.newCandidates += await candidates.note(run, unknown);
}

async function judgeAll(
  { candidates, run, log }: SweepRoom,
  { keyPattern }: StorePlace,
  { tally, olderThan }: { readonly tally: SweepTally; readonly olderThan: Date },
): Promise<void> {
  tally.forgottenCandidates += await candidates.forgetUnseen(run, keyPattern);
  let page: JudgedCandidates[] = [];
  do {
    const after = page.at(-1)?.doomedKey;
    page = await candidates.judge({
      run,
      keyPattern,
      olderThan,
      limit: JUDGED_PAGE,
      ...(after !== undefined && { after }),
    });
    for (const judged of page.filter(({ isDoomed }) => isDoomed)) {
      countDoomed(tally, judged);
      log(`doomed ${judged.doomedKey}: unknown since ${judged.firstSeenAt.toISOString()}, ${describeObject(judged)}`);
    }
  } while (page.length === JUDGED_PAGE);
}

async function confirmed({ ledger, signal }: SweepRoom, { store }: StorePlace, step: ComparedStep) {
  const found: AmissBlob[] = [];
  for (const blob of step.amiss) {
    signal.throwIfAborted();
    const amiss = await confirmFault(blob, { store, signal }, ledger);
    if (amiss) found.push(amiss);
  }
  return found;
}

async function quarantineAll(
  { quarantine, isDry, log }: SweepRoom,
  tally: SweepTally,
  faults: readonly JudgedFault<AmissBlob>[],
): Promise<void> {
  for (const { amiss, isTrusted } of faults) {
    const { blob, fault } = amiss;
    tally[fault] += 1;
    if (!isTrusted) tally.doubted += 1;
    const isDone = !isDry && isTrusted && (await quarantine.quarantine(blob.digest, blob.objectKey, fault));
    if (isDone) tally.quarantined += 1;
    log(`${fault}: the object ${blob.objectKey} of ${blob.digest}${isDone ? '; in quarantine now' : ''}`);
  }
}

/** Nothing is said of a store that shows nothing that it should have, neither of its blobs nor of what else lies there. */
function refuseStranger({ name }: StorePlace, { doubted, knownObjects }: SweepTally): void {
  if (doubted === 0 || knownObjects > 0) return;
  throw new StoreUnavailable(
    `the store ${name} shows none of ${doubted} objects that it should have: is it the right one, and is it mounted?`,
  );
}

function countDoomed(tally: SweepTally, { objects, sizeBytes }: { objects: number; sizeBytes: number }): void {
  tally.objectsDoomed += objects;
  tally.bytesDoomed += sizeBytes;
}

function describeUnknown(object: UnknownObject, since: Date | undefined, isRipe: boolean): string {
  const where = object.path === undefined ? '' : `${object.path}: `;
  const what = where + (object.beside === undefined ? 'no row knows it' : `left beside ${object.beside}`);
  const before = since === undefined ? 'seen for the first time' : `unknown since ${since.toISOString()}`;
  return `unknown ${object.key}: ${what}, ${describeObject(object)}, ${before}${isRipe ? ', would be removed' : ''}`;
}

function describeObject({ sizeBytes, modifiedAt }: { sizeBytes: number; modifiedAt: Date }): string {
  return `${sizeBytes} bytes, modified ${modifiedAt.toISOString()}`;
}
