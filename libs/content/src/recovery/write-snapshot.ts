import { setTimeout as delay } from 'node:timers/promises';
import type { RecoveryKind, RecoveryPosition, StateRecord } from '../ports/recovery-source.js';
import { isForeignLog } from './read-recovery-log.js';
import { LEASE_MS, LIMITS, type RecoveryRoom } from './recovery-room.js';
import { writeSegments } from './relay-recovery.js';
import { encodeDocument, sha256Of, type SnapshotPart } from './segment-codec.js';
import { describeName, partName, snapshotName, type NamedDocument } from './segment-names.js';

/** Longer than anyone has the lease who writes changes only. */
const LEASE_ATTEMPTS = 40;
const LEASE_PAUSE_MS = 500;

const KINDS: readonly RecoveryKind[] = ['namespace', 'repository', 'manifest', 'tag'];

/** Fewer segments than these are read again in no time. */
const FEW_SEGMENTS = 500;
/** A listing of so many is slow. */
const MANY_SEGMENTS = 20_000;

/**
 * `whole`: nothing was to be done; `written`: there is a new snapshot; `busy`: another process writes the log; `foreign`: the
 * store has the log of another database, which is left alone: it may be all that is left of it.
 */
export type TendOutcome = 'whole' | 'written' | 'busy' | 'foreign';

/**
 * Brings the log into good order where it needs it: a snapshot where the store has none, does not have what was written last,
 * or has what this database never wrote (it was restored from a backup, or built anew); or where the segments since the last
 * one have grown to half its size. `isFirst`: the process looks for the first time, and may take the log over to its
 * own store.
 */
export async function tendRecoveryLog(
  room: RecoveryRoom,
  { isFirst, signal }: { readonly isFirst: boolean; readonly signal: AbortSignal },
): Promise<TendOutcome> {
  const position = await room.source.lease(room.lease, LEASE_MS);
  if (position === undefined) return 'busy';
  try {
    if (!isFirst && (position.driver !== room.lease.driver || !isDue(position))) return 'whole';
    const found = (await room.log.list()).map(describeName);
    if (!isDue(position) && isWhole(position, room.lease.driver, found)) return 'whole';
    if (await isForeignLog(room.log, position)) return 'foreign';
    return (await writeSnapshot(room, found, signal)) ? 'written' : 'busy';
  } finally {
    await room.source.release(room.lease);
  }
}

function isDue({ segmentCount, segmentBytes, snapshotBytes }: RecoveryPosition): boolean {
  return segmentCount >= MANY_SEGMENTS || (segmentCount >= FEW_SEGMENTS && segmentBytes >= snapshotBytes / 2);
}

/** The store has what was written last, on a snapshot, and nothing from a future that this database does not know. */
function isWhole(position: RecoveryPosition, driver: string, found: readonly NamedDocument[]): boolean {
  return (
    position.driver === driver &&
    found.some(({ kind }) => kind === 'snapshot') &&
    found.some(({ number }) => number === position.writtenNumber) &&
    found.every(({ number }) => number <= position.lastNumber)
  );
}

/**
 * Writes the whole state page by page, each as it is when it is read: what changes meanwhile is marked, and so in a segment
 * with a higher number. The snapshot counts once its last document is there, which is written after a segment that answers
 * all marks; only then does what it replaces go. A crash at any point leaves the log before, or both.
 */
async function writeSnapshot(
  room: RecoveryRoom,
  found: readonly NamedDocument[],
  signal: AbortSignal,
): Promise<boolean> {
  const { source, log, lease } = room;
  const position = await source.lease(lease, LEASE_MS);
  const highest = found.reduce((most, { number }) => Math.max(most, number), 0);
  const number = await source.beginSnapshot(lease, highest);
  if (position === undefined || number === undefined) return false;
  const { logId, driver } = position;
  const parts: SnapshotPart[] = [];
  let sizeBytes = 0;
  for await (const records of statePages(room)) {
    const bytes = await encodeDocument({ header: { logId, number }, records });
    const name = partName(number, parts.length + 1);
    await log.append(name, bytes);
    parts.push({ name, sha256: sha256Of(bytes) });
    sizeBytes += bytes.length;
    if (!(await goOn(room, signal))) return false;
    // The log that is replaced does not fall behind; one that moves to this store stays as it was until it has moved.
    if (driver === lease.driver) await writeSegments(room);
  }
  if (driver === lease.driver) await writeSegments(room);
  const bytes = await encodeDocument({ header: { logId, number, parts }, records: [] });
  await log.append(snapshotName(number), bytes);
  await source.finishSnapshot(lease, number, sizeBytes + bytes.length);
  for (const old of (await log.list()).map(describeName)) if (old.number < number) await log.remove(old.name);
  await writeSegments(room);
  return true;
}

/** Renews the lease. Another process may have had it for a moment, and two snapshots at once only cost time. */
async function goOn({ source, lease }: RecoveryRoom, signal: AbortSignal): Promise<boolean> {
  for (let attempt = 0; attempt < LEASE_ATTEMPTS; attempt += 1) {
    signal.throwIfAborted();
    if ((await source.lease(lease, LEASE_MS)) !== undefined) return true;
    await delay(LEASE_PAUSE_MS, undefined, { signal });
  }
  return false;
}

async function* statePages({ source }: RecoveryRoom): AsyncGenerator<readonly StateRecord[]> {
  for (const kind of KINDS) {
    let after: string | undefined;
    do {
      const page = await source.page(kind, after, LIMITS);
      if (page.records.length > 0) yield page.records;
      after = page.next;
    } while (after !== undefined);
  }
}
