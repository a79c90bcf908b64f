import { RegistryError } from '@entrepot/oci';
import type { Lease, Upload, UploadProgress, Uploads } from '../ports/uploads.js';

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

/** What a lease was taken on. */
interface Taken {
  readonly lease: Lease;
  readonly upload: Upload;
  /** When it was asked for, by the clock that no time server turns. */
  readonly askedAtMs: number;
}

/**
 * A lease in the hands of one request. A sender that was silent for its length, or a process that stood still, may have
 * lost it to another writer of the same upload, so that nothing may reach the object before `ensure` has resolved.
 */
export class HeldLease {
  readonly lease: Lease;
  /** The upload as it was when the lease was taken. */
  readonly upload: Upload;
  #renewAtMs: number;

  constructor(
    private readonly uploads: Uploads,
    { lease, upload, askedAtMs }: Taken,
    private readonly leaseMs: number,
  ) {
    this.lease = lease;
    this.upload = upload;
    this.#renewAtMs = askedAtMs + leaseMs / 3;
  }

  /** True where a third of the lease has passed, and it is time to note what is durable. */
  get isDue(): boolean {
    return performance.now() >= this.#renewAtMs;
  }

  /** Resolves while the lease is ours for two thirds of its length at least. Rejects with `LeaseLost`. */
  async ensure(): Promise<void> {
    if (this.isDue) await this.renew();
  }

  /** Prolongs the lease, and notes progress if there is any. Rejects with `LeaseLost`. */
  async renew(progress?: UploadProgress): Promise<void> {
    const renewAtMs = performance.now() + this.leaseMs / 3;
    if (!(await this.uploads.renew(this.lease, this.leaseMs, progress))) throw new LeaseLost();
    this.#renewAtMs = renewAtMs;
  }

  /** Keeps the lease while `work` runs, which may take longer than its length. Rejects with `LeaseLost`. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    let lost: LeaseLost | undefined;
    const timer = setInterval(() => {
      // A database that is away for a moment is no loss yet: whether the lease was lost is asked again before the next byte.
      this.renew().catch((error: unknown) => {
        if (error instanceof LeaseLost) lost = error;
      });
    }, this.leaseMs / 3);
    const result = await work().finally(() => clearInterval(timer));
    if (lost) throw lost;
    return result;
  }

  /** Notes progress and gives the lease back. Rejects with `LeaseLost`. */
  async release(progress: UploadProgress): Promise<void> {
    if (!(await this.uploads.release(this.lease, progress))) throw new LeaseLost();
  }

  /**
   * Gives the lease back with the upload as it was, or as the last renewal left it. Unless the writer ended in order, the
   * next one is told that it was abandoned. Rejects with `LeaseLost`.
   */
  async giveUp(isInOrder = true): Promise<void> {
    const upload = isInOrder ? this.upload : { ...this.upload, wasAbandoned: true };
    if (!(await this.uploads.giveUp(this.lease, upload))) throw new LeaseLost();
  }
}
