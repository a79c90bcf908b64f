import { isDigest, type Digest } from '@entrepot/oci';

/** What a scrub found and did. */
export interface ScrubTally {
  /** Objects that were read, and their bytes. */
  objects: number;
  bytes: number;
  missing: number;
  short: number;
  corrupt: number;
  /** Of those, blobs that this scrub put into quarantine. */
  quarantined: number;
  /** Blobs in quarantine whose bytes are right again. */
  healed: number;
  /** Blobs that were moved, removed or healed while they were read. */
  overtaken: number;
  /** Objects that the store did not give, for a reason that may pass. */
  unreadable: number;
}

/** How far a scrub came: plain data, from which another process goes on. */
export interface ScrubState {
  readonly after?: Digest;
  readonly tally: ScrubTally;
}

export function newScrubTally(): ScrubTally {
  return {
    objects: 0,
    bytes: 0,
    missing: 0,
    short: 0,
    corrupt: 0,
    quarantined: 0,
    healed: 0,
    overtaken: 0,
    unreadable: 0,
  };
}

/** Reads a state that was kept as JSON; undefined where it is none, and the scrub begins anew. */
export function readScrubState(kept: unknown): ScrubState | undefined {
  if (typeof kept !== 'object' || kept === null || !('tally' in kept)) return undefined;
  const { tally, after } = kept as { tally: unknown; after?: unknown };
  if (typeof tally !== 'object' || tally === null) return undefined;
  const counts = { ...newScrubTally() };
  for (const key of Object.keys(counts) as (keyof ScrubTally)[]) {
    const count: unknown = Reflect.get(tally, key);
    if (typeof count !== 'number') return undefined;
    counts[key] = count;
  }
  return { tally: counts, ...(typeof after === 'string' && isDigest(after) && { after }) };
}
