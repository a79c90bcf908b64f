import type { DrawnRecords } from '../ports/recovery-source.js';
import { LEASE_MS, LIMITS, type RecoveryRoom } from './recovery-room.js';
import { encodeDocument } from './segment-codec.js';
import { segmentName } from './segment-names.js';

/**
 * `done`: nothing is left that was there at the beginning; `busy`: another process writes the log; `elsewhere`: another
 * store has the log, or none has it yet.
 */
export type RelayOutcome = 'done' | 'busy' | 'elsewhere';

/** Writes what was marked until now, unless another process does. */
export async function relayRecovery(room: RecoveryRoom): Promise<RelayOutcome> {
  const { source, lease } = room;
  if ((await source.oldestMarkMs()) === undefined) return 'done';
  const position = await source.lease(lease, LEASE_MS);
  if (position === undefined) return 'busy';
  try {
    return position.driver === lease.driver ? await writeSegments(room) : 'elsewhere';
  } finally {
    await source.release(lease);
  }
}

/**
 * Writes segments until one of them answers every mark that there was when it was drawn; the lease is held. The number is
 * taken before the state is read, the marks go after the state is written: a crash in between only repeats, and a writer
 * that comes late has a lower number than whoever wrote since.
 */
export async function writeSegments({ source, log, lease }: RecoveryRoom): Promise<RelayOutcome> {
  for (;;) {
    const drawn = await source.draw(lease, LIMITS);
    if (drawn === undefined) return 'done';
    const bytes = await encodeDocument({ header: headerOf(drawn), records: drawn.records });
    await log.append(segmentName(drawn.number, drawn.hasMore), bytes);
    await source.settle(drawn, bytes.length);
    if (!drawn.hasMore) return 'done';
    if ((await source.lease(lease, LEASE_MS)) === undefined) return 'busy';
  }
}

function headerOf({ logId, number, previousNumber }: DrawnRecords) {
  return { logId, number, previousNumber };
}
