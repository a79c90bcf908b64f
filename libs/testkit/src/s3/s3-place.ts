import type { TiedProcess } from './tied-process.js';

export interface S3Credentials {
  readonly region: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** Where objects can be put. */
export interface S3Place extends S3Credentials {
  /** Origin of the server. */
  readonly endpoint: string;
  /** Whether the bucket is in the path, for it is in no host name. */
  readonly pathStyle: true;
}

/** An empty bucket of nobody else's. */
export interface S3Bucket extends S3Place {
  readonly bucket: string;
}

/** What a launcher gives: a server that accepts. */
export interface LaunchedS3 {
  readonly port: number;
  readonly process: TiedProcess;
}
