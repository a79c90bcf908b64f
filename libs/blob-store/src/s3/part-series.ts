import { createHash } from 'node:crypto';
import type { PartBuffer } from './part-buffer.js';
import type { SavedParts } from './resume-state.js';
import type { S3Bucket, StoredPart } from './s3-bucket.js';
import { S3Failure, isMissing } from './s3-failure.js';

/** A part that was given a number. */
interface NumberedPart {
  readonly number: number;
  readonly sizeBytes: number;
  /** Once it is stored. */
  etag?: string;
}

/** A name with the nonce that it ends in. */
export interface SeriesName {
  readonly name: string;
  readonly nonce: string;
}

/** The parts that were stored are not those that the state speaks of: another writer was at them. */
export class PartsReplaced extends Error {
  override readonly name = 'PartsReplaced';
}

/** One multipart upload: parts are stored in any order, and joined by their numbers. */
export class PartSeries {
  readonly #bucket: S3Bucket;
  readonly #at: SeriesName;
  readonly #uploadId: string;
  readonly #parts: NumberedPart[] = [];
  nextNumber = 1;
  /** Of all parts that have a number. */
  sizeBytes = 0;

  private constructor(bucket: S3Bucket, at: SeriesName, uploadId: string) {
    this.#bucket = bucket;
    this.#at = at;
    this.#uploadId = uploadId;
  }

  static async begin(bucket: S3Bucket, at: SeriesName): Promise<PartSeries> {
    return new PartSeries(bucket, at, await bucket.begin(at.name));
  }

  /**
   * Goes on with a series. Where more parts are stored than the state knows of, their writer may still be sending:
   * `windowSize` numbers, as many as it may have on their way, are left out. Rejects with `PartsReplaced`, or with a
   * failure that is missing where the series was joined or aborted.
   */
  static async resume(bucket: S3Bucket, name: string, saved: SavedParts, windowSize: number): Promise<PartSeries> {
    const stored = await bucket.listParts(name, saved.uploadId);
    const known = stored.filter(({ number }) => saved.ranges.some(([from, to]) => from <= number && number <= to));
    if (digestOf(known) !== saved.etags || sumOf(known) !== saved.sizeBytes) throw new PartsReplaced();
    const series = new PartSeries(bucket, { name, nonce: saved.nonce }, saved.uploadId);
    series.#parts.push(...known);
    series.sizeBytes = saved.sizeBytes;
    const lastKnown = known.at(-1)?.number ?? 0;
    const lastStored = stored.at(-1)?.number ?? 0;
    series.nextNumber = lastStored > lastKnown ? lastStored + windowSize + 1 : lastKnown + 1;
    return series;
  }

  get name(): string {
    return this.#at.name;
  }

  get nonce(): string {
    return this.#at.nonce;
  }

  /** Stores the bytes as the next part. The number is taken at once. */
  async put(part: PartBuffer): Promise<void> {
    const numbered = this.#take(part.sizeBytes);
    numbered.etag = await this.#bucket.putPart(this.name, { uploadId: this.#uploadId, ...numbered }, part);
  }

  /** Lets the store copy a range of another object as the next part. */
  async copy(source: { readonly name: string; readonly start: number; readonly end: number }): Promise<void> {
    const numbered = this.#take(source.end + 1 - source.start);
    numbered.etag = await this.#bucket.copyPart(this.name, { uploadId: this.#uploadId, ...numbered }, source);
  }

  /** The parts up to the first one that is not stored yet; undefined where there are none. */
  save(): SavedParts | undefined {
    const pending = this.#parts.findIndex((part) => part.etag === undefined);
    const parts = storedParts(pending < 0 ? this.#parts : this.#parts.slice(0, pending));
    if (parts.length === 0) return undefined;
    const { nonce } = this.#at;
    return {
      nonce,
      uploadId: this.#uploadId,
      ranges: rangesOf(parts),
      sizeBytes: sumOf(parts),
      etags: digestOf(parts),
    };
  }

  /**
   * Joins the parts to the object. Where no clear answer comes the object is looked for: the store may have joined them
   * all the same. Rejects with `PartsReplaced` where they are others than we stored.
   */
  async complete(): Promise<void> {
    const parts = storedParts(this.#parts);
    try {
      await this.#bucket.complete(this.name, this.#uploadId, parts);
    } catch (error) {
      if (await this.#isJoined(parts)) return;
      const isReplaced = error instanceof S3Failure && error.code === 'InvalidPart';
      throw isReplaced || isMissing(error) ? new PartsReplaced() : error;
    }
  }

  async abort(bucket: S3Bucket): Promise<void> {
    await bucket.abort(this.name, this.#uploadId);
  }

  #take(sizeBytes: number): NumberedPart {
    const part = { number: this.nextNumber, sizeBytes };
    this.nextNumber += 1;
    this.sizeBytes += sizeBytes;
    this.#parts.push(part);
    return part;
  }

  /** An object of another size, or joined from other parts, is one that a former writer completed: not ours. */
  async #isJoined(parts: readonly StoredPart[]): Promise<boolean> {
    try {
      const { sizeBytes, etag } = await this.#bucket.head(this.name);
      const expected = joinedEtag(parts);
      const isComparable = expected !== undefined && /^[0-9a-f]{32}-\d+$/.test(etag);
      if (sizeBytes === sumOf(parts) && (!isComparable || etag === expected)) return true;
    } catch (error) {
      if (isMissing(error)) return false;
      throw error;
    }
    throw new S3Failure('completed by another writer', true);
  }
}

function storedParts(parts: readonly NumberedPart[]): StoredPart[] {
  return parts.map(({ number, sizeBytes, etag = '' }) => ({ number, sizeBytes, etag }));
}

function sumOf(parts: readonly { readonly sizeBytes: number }[]): number {
  return parts.reduce((sum, part) => sum + part.sizeBytes, 0);
}

function digestOf(parts: readonly StoredPart[]): string {
  const hash = createHash('sha256');
  for (const { number, etag } of parts) hash.update(`${number} ${etag}\n`);
  return hash.digest('base64url');
}

/** The ETag that most stores give: MD5 over the MD5s of the parts. Undefined where theirs are something else. */
function joinedEtag(parts: readonly StoredPart[]): string | undefined {
  const hash = createHash('md5');
  for (const { etag } of parts) {
    if (!/^[0-9a-f]{32}$/.test(etag)) return undefined;
    hash.update(etag, 'hex');
  }
  return `${hash.digest('hex')}-${parts.length}`;
}

function rangesOf(parts: readonly StoredPart[]): [number, number][] {
  const ranges: [number, number][] = [];
  for (const { number } of parts) {
    const last = ranges.at(-1);
    if (last?.[1] === number - 1) last[1] = number;
    else ranges.push([number, number]);
  }
  return ranges;
}
