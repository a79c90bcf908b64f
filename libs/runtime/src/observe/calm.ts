const PERIOD_MS = 30_000;

/** Lets a message through that may come over and over: the first, and then one in `periodMs`, which says how many were not told. */
export class Calm {
  #toldAtMs = Number.NEGATIVE_INFINITY;
  #untold = 0;

  constructor(private readonly periodMs = PERIOD_MS) {}

  tell(write: (untold: number) => void): void {
    const nowMs = performance.now();
    if (nowMs - this.#toldAtMs < this.periodMs) {
      this.#untold += 1;
      return;
    }
    this.#toldAtMs = nowMs;
    write(this.#untold);
    this.#untold = 0;
  }
}
