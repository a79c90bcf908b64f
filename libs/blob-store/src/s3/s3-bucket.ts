import type { IncomingMessage } from 'node:http';
import { buffer } from 'node:stream/consumers';
import type { PartBuffer } from './part-buffer.js';
import type { S3Attempts } from './s3-attempts.js';
import { connectS3, type MultipartClient, type S3BucketOptions, type S3Connection } from './s3-connection.js';
import { S3Failure, toS3Failure } from './s3-failure.js';

export interface StoredPart {
  readonly number: number;
  readonly etag: string;
  readonly sizeBytes: number;
}

export interface StoredObject {
  readonly name: string;
  readonly sizeBytes: number;
  readonly modifiedAt: Date;
}

/** An answer that carries bytes; whoever asked reads it to its end or destroys it. */
export interface S3Body {
  readonly stream: IncomingMessage;
  readonly etag: string;
}

/**
 * The requests that the store is made of, on names below the prefix. Each is tried again as `S3Attempts` says and rejects
 * with `S3Failure`.
 *
 * The library's own upload of objects is not used: it joins whatever unfinished upload of the same name it finds.
 */
export class S3Bucket {
  readonly #options: S3BucketOptions;
  readonly #access: S3Connection;

  constructor(options: S3BucketOptions, access = connectS3(options)) {
    this.#options = options;
    this.#access = access;
  }

  get #client(): MultipartClient {
    return this.#access.client;
  }

  get #attempts(): S3Attempts {
    return this.#access.attempts;
  }

  /** The same bucket for requests that end when `signal` says so. */
  until(signal: AbortSignal): S3Bucket {
    return new S3Bucket(this.#options, { ...this.#access, attempts: this.#attempts.until(signal) });
  }

  /** Where it is, for messages. */
  get place(): string {
    return `${this.#options.endpoint.host}/${this.#options.bucket}`;
  }

  /** How long nothing may move on a connection, in milliseconds. */
  get idleTimeoutMs(): number {
    return this.#attempts.idleTimeoutMs;
  }

  async put(name: string, part: PartBuffer): Promise<void> {
    await this.#send(name, part, { headers: this.#options.encryption });
  }

  async putText(name: string, text: string): Promise<void> {
    const headers = { ...this.#options.encryption, 'content-type': 'application/json' };
    await this.#answered(() => this.#client.makeRequestAsync(this.#of('PUT', name, { headers }), text));
  }

  async putBytes(name: string, bytes: Uint8Array): Promise<void> {
    const headers = { ...this.#options.encryption, 'content-type': 'application/octet-stream' };
    const body = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    await this.#answered(() => this.#client.makeRequestAsync(this.#of('PUT', name, { headers }), body));
  }

  /** The bytes from `start` to `end`, both included. */
  get(name: string, range: { readonly start: number; readonly end: number }, etag?: string): Promise<S3Body> {
    const headers = { range: `bytes=${range.start}-${range.end}`, ...(etag && { 'if-match': `"${etag}"` }) };
    const request = this.#of('GET', name, { headers });
    return this.#attempts.run(
      async () => {
        const stream = await this.#client.makeRequestAsync(request, '', [200, 206]);
        return { stream, etag: unquote(stream.headers.etag) };
      },
      { isStreamed: true },
    );
  }

  async getText(name: string): Promise<string> {
    return (await this.getBytes(name)).toString();
  }

  /** All of a small object. */
  getBytes(name: string): Promise<Buffer> {
    return this.#answered(() => this.#client.makeRequestAsync(this.#of('GET', name)));
  }

  head(name: string): Promise<{ readonly sizeBytes: number; readonly etag: string; readonly modifiedAt: Date }> {
    return this.#attempts.run(async () => {
      const { size, etag, lastModified } = await this.#client.statObject(this.#options.bucket, this.#full(name));
      if (!Number.isSafeInteger(size)) throw new S3Failure('no size', true);
      return { sizeBytes: size, etag: unquote(etag), modifiedAt: lastModified };
    });
  }

  /**
   * Whether a rule of the bucket ends multipart uploads that nobody completes; undefined where the store does not say, which is
   * asked once: many know no rules.
   */
  async endsUploads(): Promise<boolean | undefined> {
    const request = { method: 'GET', bucketName: this.#options.bucket, query: 'lifecycle' };
    try {
      const rules = await buffer(await this.#client.makeRequestAsync(request));
      return rules.toString().includes('<AbortIncompleteMultipartUpload>');
    } catch (error) {
      return toS3Failure(error, 404).code === 'NoSuchLifecycleConfiguration' ? false : undefined;
    }
  }

  async remove(name: string): Promise<void> {
    await this.#answered(() => this.#client.makeRequestAsync(this.#of('DELETE', name), '', [200, 204]));
  }

  /** Removes at most 1000 objects by one request; resolves with those that could not be removed, and why. */
  async removeMany(names: readonly string[]): Promise<Map<string, S3Failure>> {
    const { bucket } = this.#options;
    const full = names.map((name) => this.#full(name));
    const refused = await this.#attempts.run(() => this.#client.removeObjects(bucket, full));
    const failures = new Map<string, S3Failure>();
    for (const refusal of refused as readonly { readonly Key?: unknown; readonly Code?: unknown }[]) {
      failures.set(this.#bare(String(refusal.Key)), new S3Failure(String(refusal.Code), false));
    }
    return failures;
  }

  /** Begins a multipart upload; resolves with its id. */
  begin(name: string): Promise<string> {
    const { bucket, encryption } = this.#options;
    return this.#attempts.run(async () => {
      const id = await this.#client.initiateNewMultipartUpload(bucket, this.#full(name), { ...encryption });
      if (typeof id !== 'string' || id === '') throw new S3Failure('no upload id', true);
      return id;
    });
  }

  /** Resolves with the ETag. */
  putPart(name: string, at: { readonly uploadId: string; readonly number: number }, part: PartBuffer): Promise<string> {
    return this.#send(name, part, { query: partQuery(at), headers: {} });
  }

  /** Lets the store copy a range of another object, with both ends, into a part. Resolves with the ETag. */
  copyPart(
    name: string,
    at: { readonly uploadId: string; readonly number: number },
    source: { readonly name: string; readonly start: number; readonly end: number },
  ): Promise<string> {
    const { bucket } = this.#options;
    const headers = {
      'x-amz-copy-source': encodeURI(`/${bucket}/${this.#full(source.name)}`),
      'x-amz-copy-source-range': `bytes=${source.start}-${source.end}`,
    };
    const place = { bucketName: bucket, objectName: this.#full(name), uploadID: at.uploadId, partNumber: at.number };
    const copy = async (): Promise<string> => {
      const { etag } = await this.#client.uploadPart({ ...place, headers }, '');
      // A copy that fails on its way says so in the body of a 200.
      if (!etag) throw new S3Failure('no ETag', true);
      return etag;
    };
    return this.#attempts.run(copy, { isSlow: true });
  }

  /** Every part of a multipart upload, by ascending number: at most 10,000, however many pages the store cuts them in. */
  listParts(name: string, uploadId: string): Promise<StoredPart[]> {
    return this.#attempts.run(async () => {
      const parts = await this.#client.partsOf(this.#options.bucket, this.#full(name), uploadId);
      return parts.map(({ part, etag, size }) => ({ number: part, etag: unquote(etag), sizeBytes: size }));
    });
  }

  /** Joins the parts. Where an answer was lost the next one may be that there is no such upload: the caller looks. */
  async complete(name: string, uploadId: string, parts: readonly StoredPart[]): Promise<void> {
    const etags = parts.map(({ number, etag }) => ({ part: number, etag }));
    await this.#attempts.run(
      () => this.#client.completeMultipartUpload(this.#options.bucket, this.#full(name), uploadId, etags),
      { isSlow: true },
    );
  }

  async abort(name: string, uploadId: string): Promise<void> {
    await this.#attempts.run(() => this.#client.abortMultipartUpload(this.#options.bucket, this.#full(name), uploadId));
  }

  /** Objects whose names begin so, in the order of their names and behind `after`, in pages of the store's size. */
  async *list(prefix: string, after?: string): AsyncGenerator<StoredObject> {
    const startAfter = after === undefined ? '' : this.#full(after);
    const { bucket } = this.#options;
    let next: string | undefined = '';
    while (next !== undefined) {
      const token: string = next;
      const page = await this.#attempts.run(() =>
        this.#client.listObjectsV2Query(bucket, this.#full(prefix), token, '', 1000, startAfter),
      );
      for (const { name, size, lastModified } of page.objects) {
        if (name !== undefined)
          yield { name: this.#bare(name), sizeBytes: size ?? 0, modifiedAt: new Date(lastModified ?? 0) };
      }
      next = page.isTruncated ? page.nextContinuationToken : undefined;
    }
  }

  /** Multipart uploads whose names begin so. */
  async *listUploads(prefix: string): AsyncGenerator<{ name: string; uploadId: string; begunAt: Date }> {
    const { bucket } = this.#options;
    let after = { name: '', id: '' };
    for (let isLast = false; !isLast;) {
      const { name, id } = after;
      const page = await this.#attempts.run(() =>
        this.#client.listIncompleteUploadsQuery(bucket, this.#full(prefix), name, id, ''),
      );
      for (const { key, uploadId, initiated } of page.uploads) {
        yield { name: this.#bare(key), uploadId, begunAt: new Date(initiated) };
      }
      after = { name: page.nextKeyMarker, id: page.nextUploadIdMarker };
      isLast = !page.isTruncated;
    }
  }

  /** A URL by which whoever has it may GET the object, with these headers in the answer; asks nobody. */
  sign(name: string, expirySeconds: number, answer: Readonly<Record<string, string>>): Promise<string> {
    return this.#access.signer.presignedUrl('GET', this.#options.bucket, this.#full(name), expirySeconds, {
      ...answer,
    });
  }

  async #send(
    name: string,
    part: PartBuffer,
    { query, headers }: { readonly query?: string; readonly headers: Readonly<Record<string, string>> },
  ): Promise<string> {
    const request = this.#of('PUT', name, {
      headers: { ...headers, 'content-length': String(part.sizeBytes) },
      ...(query !== undefined && { query }),
    });
    return this.#attempts.run(async () => {
      const body = part.sizeBytes === 0 ? '' : part.stream();
      const answer = await this.#client.makeRequestStreamAsync(request, body, part.digest(), [200], '');
      await buffer(answer);
      return unquote(answer.headers.etag);
    });
  }

  #answered(request: () => Promise<IncomingMessage>): Promise<Buffer> {
    return this.#attempts.run(async () => buffer(await request()));
  }

  #of(method: string, name: string, more: { headers?: Record<string, string>; query?: string } = {}) {
    return { method, bucketName: this.#options.bucket, objectName: this.#full(name), ...more };
  }

  #full(name: string): string {
    return this.#options.prefix + name;
  }

  #bare(name: string): string {
    return name.slice(this.#options.prefix.length);
  }
}

function partQuery({ uploadId, number }: { readonly uploadId: string; readonly number: number }): string {
  return `partNumber=${number}&uploadId=${encodeURIComponent(uploadId)}`;
}

function unquote(etag: string | undefined): string {
  return (etag ?? '').replace(/^"|"$/g, '');
}
