import type { ManifestUses } from '../ports/manifest-uses.js';

const FLUSH_INTERVAL_MS = 1000;
/** How often it is asked which rules namespaces have, where no mark is made that tells it anyway. */
const ASK_INTERVAL_MS = 60_000;
/** A mark is good for a tenth of the time that it buys, and for no longer than this. */
const LONGEST_SPARED_MS = 3_600_000;
/** Manifests whose last mark is remembered; what is forgotten is only marked again. */
const MOST_REMEMBERED = 100_000;

export interface UseMarksOptions {
  readonly uses: ManifestUses;
  /** How long untagged manifests are kept after their last use. */
  readonly untaggedMs: number | 'keep';
  onError(error: unknown): void;
}

/**
 * Notes pulls of manifests without making anyone wait: in memory, at most one for each manifest in a while, written together
 * once a second. What a crash loses is a second of it.
 */
export class UseMarks {
  readonly #markedMs = new Map<string, number>();
  #pending = new Set<string>();
  #sparedMs: number;
  #askedMs = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;
  #flushing: Promise<void> | undefined;

  constructor(private readonly options: UseMarksOptions) {
    this.#sparedMs = sparedFor(options.untaggedMs, undefined);
  }

  start(): void {
    this.#timer = setInterval(() => void this.flush(), FLUSH_INTERVAL_MS).unref();
  }

  note(manifestId: string): void {
    const nowMs = performance.now();
    const markedMs = this.#markedMs.get(manifestId);
    if (markedMs !== undefined && nowMs - markedMs < this.#sparedMs) return;
    this.#markedMs.delete(manifestId);
    this.#markedMs.set(manifestId, nowMs);
    this.#pending.add(manifestId);
    if (this.#markedMs.size > MOST_REMEMBERED) this.#forgetOldest();
  }

  /** Writes what is pending, if any. Where that fails it stays pending. */
  async flush(): Promise<void> {
    this.#flushing ??= this.#write().finally(() => (this.#flushing = undefined));
    await this.#flushing;
  }

  /** Writes what is pending for the last time. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#flushing;
    await this.flush();
  }

  async #write(): Promise<void> {
    const nowMs = performance.now();
    if (this.#pending.size === 0 && nowMs - this.#askedMs < ASK_INTERVAL_MS) return;
    const { uses, untaggedMs, onError } = this.options;
    const marks = this.#pending;
    this.#pending = new Set();
    try {
      this.#sparedMs = sparedFor(untaggedMs, await uses.mark([...marks]));
      this.#askedMs = nowMs;
    } catch (error) {
      // Bounded as what is remembered is: each of these is in there.
      for (const id of marks) if (this.#markedMs.has(id)) this.#pending.add(id);
      onError(error);
    }
  }

  #forgetOldest(): void {
    const [oldest] = this.#markedMs.keys();
    if (oldest !== undefined) this.#markedMs.delete(oldest);
  }
}

function sparedFor(untaggedMs: number | 'keep', shortestRuleMs = Number.POSITIVE_INFINITY): number {
  const keptMs = untaggedMs === 'keep' ? Number.POSITIVE_INFINITY : untaggedMs;
  return Math.min(Math.min(keptMs, shortestRuleMs) / 10, LONGEST_SPARED_MS);
}
