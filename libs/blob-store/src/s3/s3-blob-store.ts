import { ObjectMissing } from '@entrepot/content';
import type { ListedObject, ObjectKey, ObjectRecord, ReadRange, WalkedStore, WriteFrom } from '@entrepot/content';
import { eachOf } from '../each-of.js';
import { parseRecord } from '../object-record.js';
import type { LinkTerms } from '../places/object-place.js';
import { continueUpload, readState } from './continue-upload.js';
import { feedObject } from './feed-object.js';
import { listObjects, listUpload } from './list-objects.js';
import {
  newUploadKey,
  objectNameOf,
  parseKey,
  recordNameOf,
  residueOf,
  strayOfKey,
  uploadOf,
  type S3Key,
} from './object-names.js';
import type { PartsPlace } from './object-parts.js';
import { SegmentPool } from './part-buffer.js';
import { PART_PLAN, type PartPlan } from './part-plan.js';
import { probeBucket, readClock } from './probe-bucket.js';
import { removeAll, removeExactly, removeObjects } from './remove-objects.js';
import type { ResumeState } from './resume-state.js';
import { S3Bucket } from './s3-bucket.js';
import type { S3BucketOptions } from './s3-connection.js';
import { isMissing, toStoreUnavailable } from './s3-failure.js';
import { S3ObjectWriter, type WriterStart } from './s3-object-writer.js';

/** Parts of one upload that are on their way at a time. */
const WINDOW_SIZE = 4;

/** Uploads whose leavings are removed at a time. */
const UPLOADS_AT_ONCE = 4;

/** A probe that went well is believed so long: each costs three requests. */
const PROBE_FRESH_MS = 30_000;

export interface S3BlobStoreOptions extends S3BucketOptions {
  /** Memory for parts that all uploads share; see `SegmentPool`. */
  readonly bufferBytes: number;
  /** For tests, which have no 5 TiB. */
  readonly plan?: PartPlan;
}

/**
 * Objects lie in a bucket at `<prefix>objects/<2 hex>/<2 hex>/<upload key>-<nonce>`, each with
 * its record beside it in `….json`; what is not yet part of an object lies below `<prefix>pieces/<upload key>/`.
 */
export class S3BlobStore implements WalkedStore {
  readonly newKey = newUploadKey;
  readonly uploadOf = uploadOf;
  readonly residueOf = residueOf;
  readonly #bucket: S3Bucket;
  readonly #pool: SegmentPool;
  readonly #plan: PartPlan;
  readonly #writers = new Map<ObjectKey, S3ObjectWriter>();
  readonly #later = new Set<Promise<void>>();
  #probed: { readonly atMs: number; readonly outcome: Promise<void> } | undefined;

  constructor(options: S3BlobStoreOptions) {
    this.#bucket = new S3Bucket(options);
    this.#pool = new SegmentPool(options.bufferBytes);
    this.#plan = options.plan ?? PART_PLAN;
  }

  write(key: ObjectKey, from: WriteFrom): Promise<S3ObjectWriter> {
    return this.#guard(async () => {
      const parsed = parseKey(key);
      if (parsed.nonce !== undefined) throw new TypeError('not the key of an upload');
      await this.#writers.get(key)?.abandon();
      const resume = readState(key, from);
      const giveUp = new AbortController();
      const bucket = this.#bucket.until(giveUp.signal);
      const place: PartsPlace = { bucket, key: parsed, plan: this.#plan, windowSize: WINDOW_SIZE };
      this.#removeStale(parsed, resume);
      return this.#openWriter({ ...place, giveUp }, await continueUpload(place, from, resume));
    });
  }

  read(key: ObjectKey, range: ReadRange, sink: (chunk: Uint8Array) => Promise<void>): Promise<void> {
    return this.#guard(async () => {
      const name = objectNameOf(key);
      if (name === undefined) throw new ObjectMissing(key);
      const bucket = range.signal === undefined ? this.#bucket : this.#bucket.until(range.signal);
      if (range.end < range.start) await bucket.head(name);
      await feedObject(bucket, name, range, sink);
    }, key);
  }

  size(key: ObjectKey): Promise<number | undefined> {
    return this.#guard(() => this.#find(key, async (name) => (await this.#bucket.head(name)).sizeBytes));
  }

  record(key: ObjectKey): Promise<ObjectRecord | undefined> {
    return this.#guard(() =>
      this.#find(key, async (name) => parseRecord(await this.#bucket.getText(recordNameOf(name)))),
    );
  }

  storeOf(): string {
    return 's3';
  }

  async remove(key: ObjectKey): Promise<void> {
    for (const reason of (await this.removeMany([key])).values()) throw reason;
  }

  /** Completed objects go by the hundred; what is left of an upload has to be listed, and goes by itself. */
  async removeMany(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, unknown>> {
    const failures = new Map<ObjectKey, unknown>();
    const fail = (key: ObjectKey, error: unknown) => failures.set(key, toStoreUnavailable(error, this.#bucket.place));
    const named = new Map<string, ObjectKey>();
    const strays = new Map<string, ObjectKey>();
    const others: ObjectKey[] = [];
    for (const key of keys) {
      try {
        const stray = strayOfKey(key);
        const name = stray?.name ?? objectNameOf(key);
        if (name === undefined) others.push(key);
        else (stray === undefined ? named : strays).set(name, key);
      } catch (error) {
        fail(key, error);
      }
    }
    const left = [
      ...(await removeObjects(this.#bucket, [...named.keys()])),
      ...(await removeExactly(this.#bucket, [...strays.keys()])),
    ];
    for (const [name, error] of left) {
      const key = named.get(name) ?? strays.get(name);
      if (key !== undefined) fail(key, error);
    }
    await eachOf(others, UPLOADS_AT_ONCE, async (key) => {
      await this.#removeUpload(key).catch((error: unknown) => fail(key, error));
    });
    return failures;
  }

  list({ after }: { after?: ObjectKey } = {}): AsyncGenerator<ListedObject> {
    return this.#guardAll(listObjects(this.#bucket, after));
  }

  listUpload(upload: ObjectKey): AsyncGenerator<ListedObject> {
    return this.#guardAll(listUpload(this.#bucket, upload));
  }

  now(): Promise<Date> {
    return this.#guard(() => readClock(this.#bucket));
  }

  writeRecord(key: ObjectKey, record: ObjectRecord): Promise<void> {
    return this.#guard(async () => {
      const name = objectNameOf(key);
      if (name === undefined) throw new ObjectMissing(key);
      await this.#bucket.head(name);
      await this.#bucket.putText(recordNameOf(name), `${JSON.stringify(record)}\n`);
    }, key);
  }

  /** Writes, reads and removes a small object; believes it for half a minute where that went well. */
  check(): Promise<void> {
    const now = performance.now();
    if (this.#probed === undefined || now - this.#probed.atMs > PROBE_FRESH_MS) {
      this.#probed = { atMs: now, outcome: this.#guard(() => probeBucket(this.#bucket)) };
      this.#probed.outcome.catch(() => (this.#probed = undefined));
    }
    return this.#probed.outcome;
  }

  /** Whether the bucket itself ends what a killed process had begun; undefined where it does not say. */
  endsUploads(): Promise<boolean | undefined> {
    return this.#bucket.endsUploads();
  }

  /** Makes a URL by which whoever has it may GET this one object; asks nobody. */
  sign(key: ObjectKey, { expirySeconds, contentType, contentDisposition }: LinkTerms): Promise<string> {
    const name = objectNameOf(key);
    if (name === undefined) throw new ObjectMissing(key);
    const answer = {
      'response-content-type': contentType,
      'response-content-disposition': contentDisposition,
    };
    return this.#bucket.sign(name, expirySeconds, answer);
  }

  /** Resolves when nothing is under way in the background any more. */
  async settle(): Promise<void> {
    while (this.#later.size > 0) await Promise.all(this.#later);
  }

  async #removeUpload(key: ObjectKey): Promise<void> {
    const parsed = parseKey(key);
    if (!parsed.isResidue) await this.#writers.get(key)?.abandon();
    await removeAll(this.#bucket, parsed);
  }

  #openWriter(place: PartsPlace & { readonly giveUp: AbortController }, start: WriterStart): S3ObjectWriter {
    const { uploadKey } = place.key;
    const writer = new S3ObjectWriter(
      {
        ...place,
        pool: this.#pool,
        later: (work) => this.#doLater(work),
        onClose: () => {
          if (this.#writers.get(uploadKey) === writer) this.#writers.delete(uploadKey);
        },
      },
      start,
    );
    this.#writers.set(uploadKey, writer);
    return writer;
  }

  /** The state that speaks of it is the noted one, so that nobody will go on from the one before. */
  #removeStale(key: S3Key, { parts, staleNonce }: ResumeState): void {
    if (staleNonce === undefined) return;
    for (const prefix of parts ? [key.piecePrefix, key.objectPrefix] : [key.objectPrefix]) {
      this.#doLater((bucket) => bucket.remove(`${prefix}${staleNonce}`));
    }
  }

  #doLater(work: (bucket: S3Bucket) => Promise<void>): void {
    const doing = work(this.#bucket)
      .catch(() => undefined)
      .finally(() => this.#later.delete(doing));
    this.#later.add(doing);
  }

  async #find<T>(key: ObjectKey, look: (name: string) => Promise<T>): Promise<T | undefined> {
    const name = strayOfKey(key)?.name ?? objectNameOf(key);
    try {
      return name === undefined ? undefined : await look(name);
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async *#guardAll<T>(all: AsyncGenerator<T>): AsyncGenerator<T> {
    try {
      yield* all;
    } catch (error) {
      throw toStoreUnavailable(error, this.#bucket.place);
    }
  }

  async #guard<T>(work: () => Promise<T>, key?: ObjectKey): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (key !== undefined && isMissing(error)) throw new ObjectMissing(key);
      throw toStoreUnavailable(error, this.#bucket.place);
    }
  }
}
