import { findFault, type Reading } from '../integrity/find-fault.js';
import type { LedgerBlob } from '../ports/object-ledger.js';
import type { BlobFault } from '../ports/quarantine.js';
import type { AmissBlob } from '../sweep/confirm-fault.js';
import { confirmFault } from '../sweep/confirm-fault.js';
import type { SeenBlob, StorePlace } from '../sweep/compare-store.js';
import type { StoreFinding, StoreFindingKind } from './store-finding.js';
import type { StoreRoom } from './store-room.js';

/** Whether the object of a blob is there, in its size; by a second look. */
export async function checkAmiss(
  room: StoreRoom,
  { store }: StorePlace,
  walked: LedgerBlob,
): Promise<AmissBlob | undefined> {
  return confirmFault(walked, { store, signal: room.signal }, room.ledger);
}

/** Reads the object of a blob that the store shows. Undefined where its bytes are right, or are not its any more. */
export async function checkBytes(
  room: StoreRoom,
  { store }: StorePlace,
  { blob }: SeenBlob,
): Promise<AmissBlob | undefined> {
  if (!room.isDeep || blob.fault !== undefined) return undefined;
  const reading: Reading = { store, signal: room.signal, pace: (sizeBytes) => room.paceBytes(sizeBytes) };
  const fault = await findFault(reading, blob);
  if (fault === undefined || !(await isStill(room, blob))) return undefined;
  return { blob, fault };
}

/** Whether the record of an object says what its blob's row says; what it says is read only where `isDeep`. */
export async function checkRecord(
  room: StoreRoom,
  { store }: StorePlace,
  { blob, found }: SeenBlob,
): Promise<StoreFinding | undefined> {
  if (found.hasRecord && !room.isDeep) return undefined;
  const { digest, sizeBytes, objectKey: key } = blob;
  const record = await store.record(key);
  if (record?.digest === digest && record.sizeBytes === sizeBytes) return undefined;
  if ((await store.size(key)) === undefined || !(await isStill(room, blob))) return undefined;
  const finding = { kind: recordKind(found.hasRecord), digest, key };
  const note = record ? `the record speaks of ${record.digest}` : 'there is no record that can be read';
  if (!room.repairs) return { ...finding, isRepaired: false, note };
  await store.writeRecord(key, { digest, sizeBytes, createdAt: blob.createdAt.toISOString() });
  return { ...finding, isRepaired: true, note: `${note}; written anew` };
}

/** A blob that a pull, a scrub or a check found to be at fault, and that nobody pushed again. */
export async function checkQuarantined(room: StoreRoom, walked: LedgerBlob): Promise<StoreFinding | undefined> {
  const blob = await room.ledger.blob(walked.digest);
  if (blob?.objectKey !== walked.objectKey || blob.fault === undefined) return undefined;
  const { digest, objectKey: key, fault, faultAt } = blob;
  const since = faultAt === undefined ? '' : ` since ${faultAt.toISOString()}`;
  const note = `in quarantine${since}; push it again`;
  return { kind: QUARANTINED[fault], digest, key, isRepaired: false, isBeyondRepair: true, note };
}

const QUARANTINED: Readonly<Record<BlobFault, StoreFindingKind>> = {
  missing: 'object-missing',
  short: 'object-size',
  corrupt: 'object-corrupt',
};

function recordKind(hasRecord: boolean): StoreFindingKind {
  return hasRecord ? 'record-wrong' : 'record-missing';
}

/** A blob that was moved, removed or put into quarantine meanwhile is no finding. */
async function isStill({ ledger }: StoreRoom, { digest, objectKey }: LedgerBlob): Promise<boolean> {
  const now = await ledger.blob(digest);
  return now?.objectKey === objectKey && now.fault === undefined;
}
