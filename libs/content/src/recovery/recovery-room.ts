import type { RecoveryLog } from '../ports/recovery-log.js';
import type { RecoveryLease, RecoveryLimits, RecoverySource } from '../ports/recovery-source.js';

/** What a writer of the log works with. */
export interface RecoveryRoom {
  readonly source: RecoverySource;
  /** Beside the objects of the store that takes new ones. */
  readonly log: RecoveryLog;
  readonly lease: RecoveryLease;
}

/** How long a writer that died keeps the others waiting; one that is only slow does no harm to them, nor they to it. */
export const LEASE_MS = 5_000;

/** One document. */
export const LIMITS: RecoveryLimits = { records: 2_000, payloadBytes: 8 * 1024 * 1024 };
