export interface CircuitOptions {
  /** Failures in a row that open it, where they last for `sustainedMs`. */
  readonly failures: number;
  readonly sustainedMs: number;
  /** How long it stays open before one request may try again. */
  readonly openMs: number;
  /** Milliseconds that only grow. */
  readonly now: () => number;
}

/**
 * Spares a store that is down, and those who wait for it: after a sustained row of failures requests fail at once. From
 * time to time one is let through; the first success closes the circuit. Single failures change nothing.
 */
export class CircuitBreaker {
  readonly #options: CircuitOptions;
  #failures = 0;
  #failingSince = 0;
  #retryAt = 0;

  constructor(options: CircuitOptions) {
    this.#options = options;
  }

  get isOpen(): boolean {
    const { failures, sustainedMs } = this.#options;
    return this.#failures >= failures && this.#retryAt - this.#failingSince >= sustainedMs;
  }

  /** True where a request may be made. Of those that ask while the circuit is open, one at a time is let through. */
  admits(): boolean {
    if (!this.isOpen) return true;
    const now = this.#options.now();
    if (now < this.#retryAt) return false;
    this.#retryAt = now + this.#options.openMs;
    return true;
  }

  noteSuccess(): void {
    this.#failures = 0;
  }

  noteFailure(): void {
    const now = this.#options.now();
    if (this.#failures === 0) this.#failingSince = now;
    this.#failures += 1;
    if (now - this.#failingSince >= this.#options.sustainedMs) this.#retryAt = now + this.#options.openMs;
    else this.#retryAt = now;
  }
}
