import type { BlobStore } from '../ports/blob-store.js';
import type { Uploads } from '../ports/uploads.js';
import type { RunningHashes } from './running-hash.js';

/** What the push operations work with. */
export interface PushRoom {
  readonly uploads: Uploads;
  readonly store: BlobStore;
  readonly hashes: RunningHashes;
  readonly leaseMs: number;
  readonly graceMs: number;
  readonly maxBlobBytes: number;
  readonly maxUploads: number;
  /** Random, unguessable. */
  newId(): string;
  /** Called after an object was given up, which may be removed now as well as later. */
  onDoomed?(): void;
}

export type Bytes = AsyncIterable<Uint8Array>;
