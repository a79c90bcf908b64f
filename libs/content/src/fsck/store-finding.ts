import type { Digest } from '@entrepot/oci';
import type { ObjectKey } from '../ports/blob-store.js';

/** In what a store and the rows differ. */
export type StoreFindingKind =
  'object-missing' | 'object-size' | 'object-corrupt' | 'record-missing' | 'record-wrong' | 'object-unknown';

export interface StoreFinding {
  readonly kind: StoreFindingKind;
  readonly key: ObjectKey;
  /** Of the blob whose object it is; absent where no blob has it. */
  readonly digest?: Digest;
  readonly isRepaired: boolean;
  /** No repair mends it. */
  readonly isBeyondRepair?: true;
  /** What was found, and what was done about it, in words. */
  readonly note: string;
}

/** How far a check came. */
export interface StoreTally {
  objects: number;
  bytes: number;
  /** Unknown objects that the sweep knows of: they go when they are old enough. */
  waiting: number;
  /** Unknown objects that this check doomed, as the sweep would have. */
  doomed: number;
}
