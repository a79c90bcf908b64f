import { setTimeout as sleep } from 'node:timers/promises';
import { CircuitBreaker } from './circuit-breaker.js';
import { S3Failure, SILENCE, isAnswer, toS3Failure } from './s3-failure.js';
import { withCall, type S3Call } from './s3-transport.js';

/** Tries of one request, the first included; and of those how many may end in silence, which takes long to tell. */
const MAX_ATTEMPTS = 6;
const MAX_SILENCES = 2;
const FIRST_DELAY_MS = 100;
const MAX_DELAY_MS = 5_000;

/** Retries cost from a purse that all requests share and successes fill: a store in trouble is not buried under them. */
const PURSE = 500;
const RETRY_COSTS = 5;

const CIRCUIT = { failures: 10, sustainedMs: 10_000, openMs: 2_000, now: () => performance.now() };

export interface S3Timeouts {
  readonly connectMs: number;
  /** How long nothing may move on a connection. */
  readonly idleMs: number;
}

/** How one kind of request is made. */
export interface S3Terms {
  /** The store may work for long before it says a word: joining and copying parts. */
  readonly isSlow?: boolean;
  readonly isStreamed?: boolean;
}

/** The store may join or copy some GiB before it answers. */
const SLOW_FACTOR = 10;

/** What all requests to one store share. */
class StoreHealth {
  readonly circuit = new CircuitBreaker(CIRCUIT);
  #purse = PURSE;

  noteSuccess(): void {
    this.circuit.noteSuccess();
    this.#purse = Math.min(PURSE, this.#purse + 1);
  }

  /** True where one more try can be afforded. */
  pay(): boolean {
    if (this.circuit.isOpen || this.#purse < RETRY_COSTS) return false;
    this.#purse -= RETRY_COSTS;
    return true;
  }
}

/** Makes requests, and makes them again where that may help. All are such that twice does no harm. */
export class S3Attempts {
  readonly #timeouts: S3Timeouts;
  readonly #health: StoreHealth;
  readonly #signal: AbortSignal | undefined;

  constructor(timeouts: S3Timeouts, health = new StoreHealth(), signal?: AbortSignal) {
    this.#timeouts = timeouts;
    this.#health = health;
    this.#signal = signal;
  }

  get idleTimeoutMs(): number {
    return this.#timeouts.idleMs;
  }

  /** The same for requests that end when `signal` says so. */
  until(signal: AbortSignal): S3Attempts {
    return new S3Attempts(this.#timeouts, this.#health, signal);
  }

  /** Resolves as `request` does. Rejects with `S3Failure`. */
  async run<T>(request: () => Promise<T>, terms: S3Terms = {}): Promise<T> {
    let silences = 0;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#try(request, terms);
      } catch (error) {
        if (error instanceof S3Failure && error.code === SILENCE) silences += 1;
        const isLast = attempt === MAX_ATTEMPTS || silences === MAX_SILENCES || this.#signal?.aborted === true;
        if (isLast || isAnswer(error) || !this.#health.pay()) throw error;
      }
      // Full jitter: those who failed together do not come back together.
      await sleep(Math.random() * Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 4 ** (attempt - 1)));
    }
  }

  async #try<T>(request: () => Promise<T>, { isSlow = false, isStreamed = false }: S3Terms): Promise<T> {
    const { circuit } = this.#health;
    if (this.#signal?.aborted) throw new S3Failure('given up', false);
    if (!circuit.admits()) throw new S3Failure('failing for some time', true);
    const call = this.#newCall(isSlow, isStreamed);
    try {
      const result = await withCall(call, request);
      this.#health.noteSuccess();
      return result;
    } catch (error) {
      if (this.#signal?.aborted) throw new S3Failure('given up', false, { cause: error });
      const failure = toS3Failure(error, call.status);
      if (failure.isTransient) circuit.noteFailure();
      else this.#health.noteSuccess();
      throw failure;
    }
  }

  #newCall(isSlow: boolean, isStreamed: boolean): S3Call {
    const { connectMs, idleMs } = this.#timeouts;
    return {
      connectTimeoutMs: connectMs,
      idleTimeoutMs: isSlow ? idleMs * SLOW_FACTOR : idleMs,
      isStreamed,
      ...(this.#signal && { signal: this.#signal }),
    };
  }
}
