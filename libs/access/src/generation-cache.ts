/**
 * A bounded map for hot look-ups: two generations of at most half the bound each. A hit in the older one moves to the
 * younger; when that is full the older one is forgotten. Costs one or two Map look-ups, and no reordering on a hit.
 */
export class GenerationCache<K, V> {
  readonly #halfSize: number;
  #young = new Map<K, V>();
  #old = new Map<K, V>();

  constructor(maxEntries: number) {
    this.#halfSize = Math.max(1, Math.floor(maxEntries / 2));
  }

  get(key: K): V | undefined {
    const value = this.#young.get(key);
    if (value !== undefined) return value;
    const older = this.#old.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  set(key: K, value: V): void {
    if (this.#young.size >= this.#halfSize && !this.#young.has(key)) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(key, value);
  }

  /** Entries held, one in both generations counted twice. */
  get size(): number {
    return this.#young.size + this.#old.size;
  }
}
