import { StoreUnavailable } from '@entrepot/content';
import { newNonce, type S3Key } from './object-names.js';
import type { PartBuffer } from './part-buffer.js';
import { MIN_PART_BYTES, plannedPart, type PartPlan, type PlannedPart } from './part-plan.js';
import { PartSeries, PartsReplaced, type SeriesName } from './part-series.js';
import type { ResumeState } from './resume-state.js';
import type { S3Bucket } from './s3-bucket.js';
import type { UploadWindow } from './upload-window.js';

/** What the store copies at a time; several copies run beside each other. */
const COPY_BYTES = 2 ** 30;

/** The first bytes of an object. */
export interface CopySource {
  readonly name: string;
  readonly sizeBytes: number;
}

/** What the parts of one object are stored with. */
export interface PartsPlace {
  readonly bucket: S3Bucket;
  readonly key: S3Key;
  readonly plan: PartPlan;
  /** Parts on their way at a time. */
  readonly windowSize: number;
}

/**
 * The parts of one object, in the sizes of the plan. Where a part is larger than what is held in memory its pieces are
 * gathered in an object of their own, which the store then copies into the part.
 */
export class ObjectParts {
  readonly #place: PartsPlace;
  readonly #window: UploadWindow;
  #series: PartSeries | undefined;
  #pieces: PartSeries | undefined;

  constructor(place: PartsPlace, window: UploadWindow) {
    this.#place = place;
    this.#window = window;
  }

  /** Goes on with what a state speaks of. Rejects as `PartSeries.resume` does. */
  async resume({ parts, pieces }: ResumeState): Promise<void> {
    const { bucket, key, windowSize } = this.#place;
    if (parts) this.#series = await PartSeries.resume(bucket, `${key.objectPrefix}${parts.nonce}`, parts, windowSize);
    if (pieces) this.#pieces = await PartSeries.resume(bucket, `${key.piecePrefix}${pieces.nonce}`, pieces, windowSize);
  }

  /** Makes objects of what `resume` found, so that nothing can be added to it any more. */
  async seal(): Promise<void> {
    for (const series of [this.#series, this.#pieces]) {
      await series?.complete().catch((error: unknown) => {
        if (!(error instanceof PartsReplaced)) throw error;
      });
    }
  }

  get isEmpty(): boolean {
    return this.#series === undefined;
  }

  /** Of all parts and pieces that were begun. */
  get sizeBytes(): number {
    return (this.#series?.sizeBytes ?? 0) + (this.#pieces?.sizeBytes ?? 0);
  }

  /** Size of the next part or piece. Throws where the plan ends. */
  get nextBytes(): number {
    const { sizeBytes, pieceBytes } = this.#planned();
    return pieceBytes ?? sizeBytes;
  }

  /** True for bytes that may be stored as a part although they are not what is planned: there are numbers enough. */
  takesEarly(sizeBytes: number): boolean {
    const first = this.#place.plan[0];
    return !this.isEmpty && sizeBytes >= MIN_PART_BYTES && this.#planned() === first;
  }

  /** Begins to store the bytes as the next part or piece, and gives their memory back at the end. */
  async put(part: PartBuffer): Promise<void> {
    const { sizeBytes, pieceBytes } = this.#planned();
    const { objectPrefix, piecePrefix } = this.#place.key;
    this.#series ??= await this.#begin(objectPrefix);
    if (pieceBytes === undefined) return this.#start(this.#series, part);
    this.#pieces ??= await this.#begin(piecePrefix);
    await this.#start(this.#pieces, part);
    if (this.#pieces.sizeBytes >= sizeBytes) await this.#joinPieces(this.#series, this.#pieces);
  }

  /** Lets the store copy the first bytes of an object, no fewer than a part may have. */
  async copyFrom({ name, sizeBytes }: CopySource): Promise<void> {
    const series = (this.#series ??= await this.#begin(this.#place.key.objectPrefix));
    const count = Math.ceil(sizeBytes / COPY_BYTES);
    for (let index = 0; index < count; index += 1) {
      const start = Math.floor((sizeBytes / count) * index);
      const end = Math.floor((sizeBytes / count) * (index + 1)) - 1;
      await this.#window.start(() => series.copy({ name, start, end }));
    }
    await this.#window.settle();
  }

  /** What is durable of them by now. */
  save(): ResumeState {
    const parts = this.#series?.save();
    if (parts === undefined) return {};
    const pieces = parts.sizeBytes === this.#series?.sizeBytes ? this.#pieces?.save() : undefined;
    return { parts, ...(pieces && { pieces }) };
  }

  /** Makes the object of its parts. Resolves with its nonce. */
  async complete(): Promise<string> {
    await this.#window.settle();
    const series = this.#series;
    if (series === undefined) throw new TypeError('an object without parts');
    if (this.#pieces) await this.#joinPieces(series, this.#pieces);
    await series.complete();
    return series.nonce;
  }

  /** Makes the store forget parts that no state speaks of. */
  async abort(bucket: S3Bucket): Promise<void> {
    await Promise.all([this.#series?.abort(bucket), this.#pieces?.abort(bucket)]);
  }

  #planned(): PlannedPart {
    const planned = plannedPart(this.#place.plan, this.#series?.nextNumber ?? 1);
    if (planned) return planned;
    throw new StoreUnavailable('an upload has used up the part numbers of its object; begin it anew, in larger chunks');
  }

  #begin(prefix: string): Promise<PartSeries> {
    const nonce = newNonce();
    const at: SeriesName = { name: `${prefix}${nonce}`, nonce };
    return PartSeries.begin(this.#place.bucket, at);
  }

  #start(series: PartSeries, part: PartBuffer): Promise<void> {
    return this.#window.start(async () => {
      let isShared = true;
      try {
        await series.put(part);
        isShared = false;
      } finally {
        part.release(isShared);
      }
    });
  }

  async #joinPieces(series: PartSeries, pieces: PartSeries): Promise<void> {
    await this.#window.settle();
    await pieces.complete();
    await series.copy({ name: pieces.name, start: 0, end: pieces.sizeBytes - 1 });
    // The object stays: a state that was noted may speak of it until all is committed, and it goes with the residue.
    this.#pieces = undefined;
  }
}
