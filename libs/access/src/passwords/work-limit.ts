/** Lets a few pieces of work run at once, and a bounded number wait in order. */
export class WorkLimit {
  #running = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(private readonly options: { readonly concurrency: number; readonly maxWaiting: number }) {}

  /** Runs the work in its turn; throws what `onFull` makes where too many wait already. */
  async run<T>(work: () => Promise<T>, onFull: () => Error): Promise<T> {
    await this.#enter(onFull);
    try {
      return await work();
    } finally {
      this.#leave();
    }
  }

  async #enter(onFull: () => Error): Promise<void> {
    if (this.#running < this.options.concurrency) {
      this.#running += 1;
      return;
    }
    if (this.#waiting.length >= this.options.maxWaiting) throw onFull();
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The place goes over to the next in line, so the count of running work stays. */
  #leave(): void {
    const next = this.#waiting.shift();
    if (next) next();
    else this.#running -= 1;
  }
}
