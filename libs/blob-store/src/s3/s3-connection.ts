import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { Client, type ClientOptions } from 'minio';
import { S3Attempts, type S3Timeouts } from './s3-attempts.js';
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

/** Gives access to what the library keeps for its own subclasses. */
export class MultipartClient extends Client {
  partsOf(bucket: string, name: string, uploadId: string) {
    return this.listParts(bucket, name, uploadId);
  }
}

/** The client library, set up for one bucket. */
export interface S3Connection {
  readonly client: MultipartClient;
  /** Makes addresses for others; asks nobody itself. */
  readonly signer: Client;
  readonly attempts: S3Attempts;
}

export function connectS3(options: S3BucketOptions): S3Connection {
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
