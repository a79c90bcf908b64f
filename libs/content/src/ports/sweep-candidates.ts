import type { ObjectKey } from './blob-store.js';

/** An object, or what is on its way to one, that no row knows. */
export interface UnknownObject {
  /** As the store lists it. */
  readonly key: ObjectKey;
  readonly upload: ObjectKey;
  /** The object of a blob that it lies beside, where its upload became one. */
  readonly beside?: ObjectKey;
  /** By which it would be removed: all of the upload, or all but the object that it lies beside. */
  readonly doomedKey: ObjectKey;
  /** Where it lies below the store's root, where its key does not say so. */
  readonly path?: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** What an earlier sweep knew of an unknown object. */
export interface Candidate {
  readonly key: ObjectKey;
  readonly firstSeenAt: Date;
}

/** All candidates that would be removed by one key, as one sweep left them. */
export interface JudgedCandidates {
  readonly doomedKey: ObjectKey;
  readonly objects: number;
  readonly sizeBytes: number;
  /** The youngest one's. */
  readonly modifiedAt: Date;
  readonly firstSeenAt: Date;
  readonly isDoomed: boolean;
}

export interface JudgedPage {
  readonly run: string;
  /** Form of the keys of one store. */
  readonly keyPattern: string;
  /** By the store's clock: what was modified later is too young. */
  readonly olderThan: Date;
  readonly after?: ObjectKey;
  readonly limit: number;
}

/** Unknown objects between one sweep and the next. A run is named by the id of its job. Each method is one short write. */
export interface SweepCandidates {
  /** Those of the keys that were candidates already. Writes nothing. */
  find(keys: readonly ObjectKey[]): Promise<ReadonlyMap<ObjectKey, Candidate>>;
  /** Notes that this run saw them, each key once. Resolves with how many are new. Saying it twice changes nothing. */
  note(run: string, unknown: readonly UnknownObject[]): Promise<number>;
  /**
   * Dooms what an earlier run saw as well and is old enough, unless a row knows it by now. Candidates that share a key are
   * judged together, by the youngest. Resolves with a page of all that the run saw, in the order of `doomedKey`.
   */
  judge(page: JudgedPage): Promise<JudgedCandidates[]>;
  /** Forgets those of one store that this run did not see: they went, or a row knows them. Resolves with how many. */
  forgetUnseen(run: string, keyPattern: string): Promise<number>;
}
