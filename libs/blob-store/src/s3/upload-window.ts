/**
 * Work that runs beside its caller, a bounded number at a time. The first failure is final: nothing further begins, and
 * every later call rejects with it.
 */
export class UploadWindow {
  readonly #size: number;
  readonly #running = new Set<Promise<void>>();
  #failure: { readonly reason: unknown } | undefined;

  constructor(size: number) {
    this.#size = size;
  }

  get isIdle(): boolean {
    return this.#running.size === 0;
  }

  /** Begins the work once there is room for it; resolves when it has begun. */
  async start(work: () => Promise<void>): Promise<void> {
    while (this.#running.size >= this.#size) await this.next();
    this.#refuseFailed();
    const run = this.#note(work()).finally(() => this.#running.delete(run));
    this.#running.add(run);
  }

  /** Resolves when something ended, or at once where nothing runs. */
  async next(): Promise<void> {
    if (!this.isIdle) await Promise.race(this.#running);
    this.#refuseFailed();
  }

  /** Resolves when everything ended. */
  async settle(): Promise<void> {
    await Promise.all(this.#running);
    this.#refuseFailed();
  }

  async #note(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (reason) {
      this.#failure ??= { reason };
    }
  }

  #refuseFailed(): void {
    if (this.#failure) throw this.#failure.reason;
  }
}
