import { createHash, type Hash } from 'node:crypto';
import type { Digest, DigestAlgorithm } from '@entrepot/oci';

/** A hash over the first bytes of an upload, with the position that it has reached. */
export class RunningHash {
  #hash: Hash;
  #offsetBytes = 0;

  constructor(readonly algorithm: DigestAlgorithm) {
    this.#hash = createHash(algorithm);
  }

  get offsetBytes(): number {
    return this.#offsetBytes;
  }

  update(chunk: Uint8Array): void {
    this.#hash.update(chunk);
    this.#offsetBytes += chunk.byteLength;
  }

  /** Digest of the bytes so far; the hash can go on. */
  digest(): Digest {
    return `${this.algorithm}:${this.#hash.copy().digest('hex')}` as Digest;
  }
}

/** How many uploads keep their hash between two requests; the oldest is dropped, and its upload read back at the end. */
const MAX_KEPT = 4096;

/**
 * Hashes of uploads between two requests of this process. Node cannot export the state of a native hash, so another
 * process (or this one after a restart) reads back what was stored (architecture, decision 5). Never the only record
 * of anything.
 */
export class RunningHashes {
  readonly #kept = new Map<string, RunningHash>();

  /** Takes the hash of the upload if it stands at exactly this offset. */
  take(uploadId: string, algorithm: DigestAlgorithm, offsetBytes: number): RunningHash | undefined {
    const kept = this.#kept.get(uploadId);
    this.#kept.delete(uploadId);
    return kept?.offsetBytes === offsetBytes && kept.algorithm === algorithm ? kept : undefined;
  }

  keep(uploadId: string, hash: RunningHash): void {
    this.#kept.set(uploadId, hash);
    if (this.#kept.size <= MAX_KEPT) return;
    for (const oldest of this.#kept.keys()) {
      this.#kept.delete(oldest);
      return;
    }
  }

  drop(uploadId: string): void {
    this.#kept.delete(uploadId);
  }
}
