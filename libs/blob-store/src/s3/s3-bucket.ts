import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { buffer } from 'node:stream/consumers';
import { Client, type ClientOptions } from 'minio';
import type { PartBuffer } from './part-buffer.js';
import { S3Attempts, type S3Timeouts } from './s3-attempts.js';
import { S3Failure } from './s3-failure.js';
import { s3Transport } from './s3-transport.js';

export interface S3BucketOptions {
  /** Origin of the store: `https://s3.example.org`. */
  readonly endpoint: URL;
  /** Origin by which others reach it: what signed addresses begin with. */
  readonly publicEndpoint: URL;
  readonly bucket: string;
  /** Names begin with it: empty, or ending in a slash. */
  readonly prefix: string;
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
  /** The bucket is in the path of requests, else in the host name. */
  readonly isPathStyle: boolean;
  /** Certificates to trust, PEM; the system's where absent. */
  readonly ca?: string;
  /** Headers by which the store is asked to encrypt what it is given. */
  readonly encryption: Readonly<Record<string, string>>;
  readonly timeouts: S3Timeouts;
}

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

/** Gives access to what the library keeps for its own subclasses. */
class MultipartClient extends Client {
  partsOf(bucket: string, name: string, uploadId: string) {
    return this.listParts(bucket, name, uploadId);
  }
}

/**
 * The requests that the store is made of, on names below the prefix. Each is tried again as `S3Attempts` says and rejects
 * with `S3Failure`.
 *
 * The library's own upload of objects is not used: it joins whatever unfinished upload of the same name it finds.
 */
export class S3Bucket {
  readonly #options: S3BucketOptions;
  readonly #access: Access;

  constructor(options: S3BucketOptions, access = connect(options)) {
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
    return (await this.#answered(() => this.#client.makeRequestAsync(this.#of('GET', name)))).toString();
  }

  head(name: string): Promise<{ readonly sizeBytes: number; readonly etag: string }> {
    return this.#attempts.run(async () => {
      const { size, etag } = await this.#client.statObject(this.#options.bucket, this.#full(name));
      if (!Number.isSafeInteger(size)) throw new S3Failure('no size', true);
      return { sizeBytes: size, etag: unquote(etag) };
    });
  }

  async remove(name: string): Promise<void> {
    await this.#answered(() => this.#client.makeRequestAsync(this.#of('DELETE', name), '', [200, 204]));
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

  /** Objects whose names begin so, in pages of the store's size. */
  async *list(prefix: string): AsyncGenerator<StoredObject> {
    const { bucket } = this.#options;
    let next: string | undefined = '';
    while (next !== undefined) {
      const token: string = next;
      const page = await this.#attempts.run(() =>
        this.#client.listObjectsV2Query(bucket, this.#full(prefix), token, '', 1000, ''),
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

interface Access {
  readonly client: MultipartClient;
  /** Makes addresses for others; asks nobody itself. */
  readonly signer: Client;
  readonly attempts: S3Attempts;
}

function connect(options: S3BucketOptions): Access {
  const client = new MultipartClient(clientOptions(options));
  // Bodies are signed by their digest over TLS too: what the store keeps is what we sent, whoever was in between.
  client.enableSHA256 = true;
  const signer = new Client(clientOptions({ ...options, endpoint: options.publicEndpoint }));
  return { client, signer, attempts: new S3Attempts(options.timeouts) };
}

function clientOptions({ endpoint, region, accessKey, secretKey, isPathStyle, ca }: S3BucketOptions): ClientOptions {
  const isSecure = endpoint.protocol === 'https:';
  const pool = { keepAlive: true, maxFreeSockets: 64, scheduling: 'lifo' } as const;
  return {
    endPoint: endpoint.hostname,
    port: Number(endpoint.port || (isSecure ? 443 : 80)),
    useSSL: isSecure,
    region,
    accessKey,
    secretKey,
    pathStyle: isPathStyle,
    transport: s3Transport(isSecure),
    transportAgent: isSecure ? new HttpsAgent({ ...pool, ...(ca !== undefined && { ca }) }) : new HttpAgent(pool),
    retryOptions: { disableRetry: true },
  };
}
