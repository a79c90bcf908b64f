const BUFFER_BYTES = 1024 * 1024;
const SPARE_BYTES = 64 * 1024;

/**
 * Buffers of 1 MiB, at most `limitBytes` of them together. When they are out, smaller ones are made for the borrower
 * instead of letting it wait: a few slow clients, who hold buffers for long, must not stop the others.
 */
export class BufferPool {
  readonly #idle: Buffer[] = [];
  readonly #limit: number;
  #made = 0;

  constructor(limitBytes: number) {
    this.#limit = Math.floor(limitBytes / BUFFER_BYTES);
  }

  /** A buffer of 1 MiB, or of 64 KiB when the pool is out. Its content is arbitrary. */
  lend(): Buffer {
    const idle = this.#idle.pop();
    if (idle !== undefined) return idle;
    if (this.#made === this.#limit) return Buffer.allocUnsafeSlow(SPARE_BYTES);
    this.#made += 1;
    return Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** Takes a lent buffer back. Nothing may use it any more. */
  giveBack(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES) this.#idle.push(buffer);
  }

  /** Forgets a lent buffer that something may still use. */
  forget(buffer: Buffer): void {
    if (buffer.length === BUFFER_BYTES) this.#made -= 1;
  }
}
