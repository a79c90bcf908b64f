import type { ObjectLedger } from '../ports/object-ledger.js';
import type { Quarantine } from '../ports/quarantine.js';
import type { SweepCandidates } from '../ports/sweep-candidates.js';

/** What a store is checked with. */
export interface StoreRoom {
  readonly ledger: ObjectLedger;
  readonly candidates: SweepCandidates;
  readonly quarantine: Quarantine;
  readonly signal: AbortSignal;
  /** Names this check among sweeps. */
  readonly run: string;
  /** How old an unknown object must be before it is doomed, by the clock of its store. */
  readonly ageMs: number;
  /** Read every object and every record. */
  readonly isDeep: boolean;
  readonly repairs: boolean;
  /** The rows are those of the store's own database: objects that they do not know may be given to the sweep. */
  readonly ownsStores: boolean;
  /** Resolves when so many bytes may be read. */
  paceBytes(sizeBytes: number): Promise<void>;
  /** Called after each step. */
  note(): void;
}
