import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';

const SEGMENT_BYTES = 2 ** 20;
/** What a small blob gets. */
const FIRST_SEGMENT_BYTES = 64 * 1024;

/**
 * Memory for parts that are gathered or on their way, shared by all writers of a store. It sets no hard limit: whoever has
 * no part on its way gets what it needs to gather one, so that no upload waits for another one.
 *
 * In all there is never more than `limitBytes`, and one part for each upload that is open: 8 MiB while the upload is below
 * 8 GiB, up to 64 MiB for those beyond 86 GiB. Nothing is reserved: a blob of a few KiB takes 64 KiB.
 */
export class SegmentPool {
  readonly #limitBytes: number;
  readonly #idle: Buffer[] = [];
  #usedBytes = 0;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  get usedBytes(): number {
    return this.#usedBytes;
  }

  /** Those who have parts on their way wait for these before they take more. */
  get isOut(): boolean {
    return this.#usedBytes >= this.#limitBytes;
  }

  lend(isFirst: boolean): Buffer {
    const sizeBytes = isFirst ? FIRST_SEGMENT_BYTES : SEGMENT_BYTES;
    this.#usedBytes += sizeBytes;
    return (isFirst ? undefined : this.#idle.pop()) ?? Buffer.allocUnsafeSlow(sizeBytes);
  }

  /** Takes a lent segment back. Nothing may use it any more. */
  giveBack(segment: Buffer): void {
    this.#usedBytes -= segment.length;
    const idleBytes = this.#idle.length * SEGMENT_BYTES;
    if (segment.length === SEGMENT_BYTES && idleBytes < this.#limitBytes) this.#idle.push(segment);
  }

  /** Forgets a lent segment that something may still use. */
  forget(segment: Buffer): void {
    this.#usedBytes -= segment.length;
  }
}

/** Bytes of one part, in segments: nothing is copied together, and nothing is reserved that may not come. */
export class PartBuffer {
  readonly #pool: SegmentPool;
  readonly #segments: Buffer[] = [];
  readonly #hash = createHash('sha256');
  /** Bytes in the last segment. */
  #lastBytes = 0;
  #digest: string | undefined;
  sizeBytes = 0;

  constructor(pool: SegmentPool) {
    this.#pool = pool;
  }

  /** True where the next byte needs another segment. */
  get needsSegment(): boolean {
    return this.#lastBytes === (this.#segments.at(-1)?.length ?? 0);
  }

  /** Copies at most `maxBytes` of the chunk, and no more than one segment takes. Resolves with how many. */
  append(chunk: Uint8Array, maxBytes: number): number {
    if (this.needsSegment) this.#addSegment();
    const segment = this.#segments.at(-1);
    if (segment === undefined) return 0;
    const taken = chunk.subarray(0, Math.min(maxBytes, segment.length - this.#lastBytes));
    segment.set(taken, this.#lastBytes);
    this.#lastBytes += taken.length;
    this.sizeBytes += taken.length;
    // Hashed while it is in the processor's cache, and never 64 MiB at once.
    if (this.#lastBytes === segment.length) this.#hash.update(segment);
    return taken.length;
  }

  /** SHA-256 of the bytes, hexadecimal. No more can be appended. */
  digest(): string {
    if (this.#digest === undefined) {
      const last = this.#segments.at(-1);
      if (last !== undefined && this.#lastBytes < last.length) this.#hash.update(last.subarray(0, this.#lastBytes));
      this.#digest = this.#hash.digest('hex');
    }
    return this.#digest;
  }

  /** The bytes as the body of a request, as often as it is sent. */
  stream(): Readable {
    return Readable.from(this.#bytes(), { objectMode: false });
  }

  /** Gives the memory back. With `isShared` something may still read it, and nobody else gets it. */
  release(isShared = false): void {
    for (const segment of this.#segments.splice(0)) {
      if (isShared) this.#pool.forget(segment);
      else this.#pool.giveBack(segment);
    }
  }

  #addSegment(): void {
    this.#segments.push(this.#pool.lend(this.#segments.length === 0));
    this.#lastBytes = 0;
  }

  *#bytes(): Generator<Buffer> {
    const last = this.#segments.length - 1;
    for (const [index, segment] of this.#segments.entries()) {
      yield index === last ? segment.subarray(0, this.#lastBytes) : segment;
    }
  }
}
