import { setTimeout as delay } from 'node:timers/promises';
import type { RecoveryRoom } from './recovery-room.js';
import { relayRecovery, type RelayOutcome } from './relay-recovery.js';

const PAUSE_MS = 100;

/**
 * Writes what is still marked, for a process that stops: behind the last of them nothing is left. Resolves with `busy` where
 * that took longer than `patienceMs`; the marks are then written by whoever comes next.
 */
export async function writeLastMarks(room: RecoveryRoom, patienceMs: number): Promise<RelayOutcome> {
  const giveUp = new AbortController();
  const { signal } = giveUp;
  const relayed = relayUntilDone(room, signal);
  try {
    return await Promise.race([relayed, delay(patienceMs, 'busy' as const, { signal })]);
  } finally {
    giveUp.abort();
    // What still fails, fails after nobody waits for it.
    relayed.catch(() => undefined);
  }
}

async function relayUntilDone(room: RecoveryRoom, signal: AbortSignal): Promise<RelayOutcome> {
  for (;;) {
    const outcome = await relayRecovery(room);
    if (outcome !== 'busy' || signal.aborted) return outcome;
    await delay(PAUSE_MS);
  }
}
