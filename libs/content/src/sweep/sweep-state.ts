import type { ObjectKey } from '../ports/blob-store.js';

/** What a sweep saw and did. A dry one counts what it would do. */
export interface SweepTally {
  objectsSeen: number;
  bytesSeen: number;
  /** Of the store that is walked: objects that are there as the rows say. */
  knownObjects: number;
  unknownObjects: number;
  unknownBytes: number;
  /** Unknown objects that no sweep saw before. */
  newCandidates: number;
  /** Candidates that went, or that a row knows by now. */
  forgottenCandidates: number;
  objectsDoomed: number;
  bytesDoomed: number;
  /** Blobs without their object, or with one of another size. */
  missing: number;
  short: number;
  corrupt: number;
  /** Of those, blobs that this sweep put into quarantine. */
  quarantined: number;
  /** Of those, blobs of which nothing is believed, since their store showed no object that it should have. */
  doubted: number;
}

/** How far a sweep came: plain data, from which another process goes on. */
export interface SweepState {
  readonly tally: SweepTally;
  /** Stores that are done. */
  readonly done: string[];
  /** Where the walk of the next one stands. */
  after?: ObjectKey;
  /** The clock of that store when its walk began. */
  storeNowMs?: number;
}

export function newSweepState(): SweepState {
  const tally = {
    objectsSeen: 0,
    bytesSeen: 0,
    knownObjects: 0,
    unknownObjects: 0,
    unknownBytes: 0,
    newCandidates: 0,
    forgottenCandidates: 0,
    objectsDoomed: 0,
    bytesDoomed: 0,
    missing: 0,
    short: 0,
    corrupt: 0,
    quarantined: 0,
    doubted: 0,
  };
  return { tally, done: [] };
}

/** A state that a former run noted; undefined for anything else. */
export function readSweepState(noted: unknown): SweepState | undefined {
  if (typeof noted !== 'object' || noted === null) return undefined;
  const { tally, done } = noted as { readonly tally?: Readonly<Record<string, unknown>>; readonly done?: unknown };
  const counts = Object.keys(newSweepState().tally);
  const isWhole = Array.isArray(done) && counts.every((count) => typeof tally?.[count] === 'number');
  return isWhole ? structuredClone(noted as SweepState) : undefined;
}
