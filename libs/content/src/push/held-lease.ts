import { RegistryError } from '@entrepot/oci';
import type { Lease, UploadProgress, Uploads } from '../ports/uploads.js';

/** The lease was lost to another request while bytes flowed: this one must not speak for the upload any more. */
export class LeaseLost extends RegistryError {
  constructor() {
    super('BLOB_UPLOAD_INVALID', {
      status: 409,
      message: 'another request has taken this upload over; ask for its status and go on from there',
      headers: { 'Retry-After': '1' },
    });
  }
}

/**
 * A lease in the hands of one request. A sender that was silent for its length may have lost it to another writer of
 * the same object, so that nothing may reach the object before `ensure` has resolved.
 */
export class HeldLease {
  #renewAtMs: number;

  constructor(
    private readonly uploads: Uploads,
    readonly lease: Lease,
    private readonly leaseMs: number,
  ) {
    this.#renewAtMs = Date.now() + leaseMs / 3;
  }

  /** True where a third of the lease has passed, and it is time to note what is durable. */
  get isDue(): boolean {
    return Date.now() >= this.#renewAtMs;
  }

  /** Resolves while the lease is ours for two thirds of its length at least. Rejects with `LeaseLost`. */
  async ensure(): Promise<void> {
    if (this.isDue) await this.renew();
  }

  /** Prolongs the lease, and notes progress if there is any. Rejects with `LeaseLost`. */
  async renew(progress?: UploadProgress): Promise<void> {
    const renewAtMs = Date.now() + this.leaseMs / 3;
    if (!(await this.uploads.renew(this.lease, this.leaseMs, progress))) throw new LeaseLost();
    this.#renewAtMs = renewAtMs;
  }

  /** Gives the lease back, with the progress if there is any. Rejects with `LeaseLost`. */
  async release(progress?: UploadProgress): Promise<void> {
    if (!(await this.uploads.release(this.lease, progress))) throw new LeaseLost();
  }
}
