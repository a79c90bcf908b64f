import { statfs } from 'node:fs/promises';
import { StoreFull } from '@entrepot/content';

const FRESH_MS = 1000;

/** Guards the last bytes of a disk, so that a store that fills up refuses uploads before it breaks in their middle. */
export class FreeSpace {
  readonly #root: string;
  readonly #minBytes: number;
  #freeBytes = 0;
  #readAt = Number.NEGATIVE_INFINITY;

  constructor(root: string, minBytes: number) {
    this.#root = root;
    this.#minBytes = minBytes;
  }

  /** Bytes that the process may still use on the file system of the root, now. */
  async measure(): Promise<number> {
    const state = await statfs(this.#root);
    this.#freeBytes = state.bavail * state.bsize;
    this.#readAt = performance.now();
    return this.#freeBytes;
  }

  /** Rejects with `StoreFull` where less than the minimum is left; believes a figure of the last second. */
  async require(): Promise<void> {
    const isFresh = performance.now() - this.#readAt < FRESH_MS;
    const freeBytes = isFresh ? this.#freeBytes : await this.measure();
    if (freeBytes >= this.#minBytes) return;
    throw new StoreFull(
      `storage in ${this.#root} has ${toMiB(freeBytes)} MiB left, of which ${toMiB(this.#minBytes)} MiB are kept free; ` +
        'free space, enlarge the volume or lower ENTREPOT_STORAGE_MIN_FREE',
    );
  }
}

function toMiB(bytes: number): number {
  return Math.floor(bytes / 2 ** 20);
}
