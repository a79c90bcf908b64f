import type { Digest, DigestAlgorithm } from '@entrepot/oci';
import type { Viewer } from './content-reader.js';
import type { DurableState, ObjectKey, WriteFrom } from './blob-store.js';

/** Names an upload together with those it belongs to: one of another repository or account does not exist. */
export interface UploadRef {
  readonly uploadId: string;
  readonly repositoryId: string;
  readonly accountId: string;
}

/** Its state is what is durable in the store; where it was abandoned, that may differ from what was hashed. */
export interface Upload extends WriteFrom {
  readonly objectKey: ObjectKey;
  readonly algorithm: DigestAlgorithm;
  /** Digest of exactly those bytes by `algorithm`, where the last writer knew it. */
  readonly digest?: Digest;
}

export interface UploadProgress extends DurableState {
  readonly digest?: Digest;
}

export interface NewUpload extends UploadRef {
  readonly objectKey: ObjectKey;
  readonly algorithm: DigestAlgorithm;
  /** Uploads that the account may have open at once, this one included; one without a request for an hour is not counted. */
  readonly limit: number;
}

/** The right to write, until the lease runs out or another holds it. */
export interface Lease {
  readonly uploadId: string;
  readonly leaseId: string;
}

export interface LeaseTerms {
  readonly leaseMs: number;
  /** Where the upload has to stand for the lease to be taken; anywhere if it is not given. */
  readonly offsetBytes?: number;
}

export interface FinishedUpload extends Lease {
  readonly repositoryId: string;
  /** Of the completed object. */
  readonly objectKey: ObjectKey;
  /** What the upload left beside it: doomed with the commit. */
  readonly residueKey?: ObjectKey;
  readonly digest: Digest;
  readonly sizeBytes: number;
  /** Time from now that the blob is safe from review without a manifest that names it. */
  readonly graceMs: number;
}

/** Where to mount from: this repository, any that the viewer may pull, or this one if the viewer may pull it. */
export interface MountSource {
  readonly repositoryId?: string;
  readonly viewer?: Viewer;
}

export interface Mount {
  readonly repositoryId: string;
  readonly digest: Digest;
  readonly graceMs: number;
  readonly source: MountSource;
}

/** State of uploads. Every method is one short write or read; none is called with a transaction open. */
export interface Uploads {
  /** False where the account has reached `limit`. */
  start(upload: NewUpload): Promise<boolean>;
  find(ref: UploadRef): Promise<Upload | undefined>;
  /**
   * Takes the lease. Undefined, and nothing changed, where there is no such upload, where it stands elsewhere, or where
   * another request has the lease.
   */
  lease(ref: UploadRef, lease: Lease, terms: LeaseTerms): Promise<Upload | undefined>;
  /** Prolongs the lease, and notes durable progress if there is any. False where the lease was lost. */
  renew(lease: Lease, leaseMs: number, progress?: UploadProgress): Promise<boolean>;
  /** Notes durable progress and gives the lease back. False where the lease was lost. */
  release(lease: Lease, progress: UploadProgress): Promise<boolean>;
  /** Gives the lease back, and says no more of the upload than was known before. False where the lease was lost. */
  giveUp(lease: Lease, taken: Upload): Promise<boolean>;
  /**
   * One transaction: blob row (or, if another upload was first, our object doomed), link to the repository, review
   * task with grace, upload row gone, its end noted for `findFinished`. False, and nothing done, where the lease was lost.
   */
  finish(finished: FinishedUpload): Promise<boolean>;
  /**
   * Digest by which the upload was finished, known for an hour, where the repository still holds the blob and nobody asked
   * for its deletion since. The blob is promised anew, for `graceMs` from now: whoever is told of it relies on it.
   */
  findFinished(ref: UploadRef, graceMs: number): Promise<Digest | undefined>;
  /** Upload row gone, object doomed. False where there is no such upload. */
  cancel(ref: UploadRef): Promise<boolean>;
  /** Links a blob that the source holds; true where the repository now holds it, or did already. */
  mount(mount: Mount): Promise<boolean>;
}
