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

/** What a service is told so that its blobs go into the bucket. */
export function storageSettings({ endpoint, bucket, region, accessKey, secretKey }: S3Bucket): Record<string, string> {
  return {
    ENTREPOT_STORAGE_DRIVER: 's3',
    ENTREPOT_STORAGE_ENDPOINT: endpoint,
    ENTREPOT_STORAGE_BUCKET: bucket,
    ENTREPOT_STORAGE_REGION: region,
    ENTREPOT_STORAGE_ACCESS_KEY: accessKey,
    ENTREPOT_STORAGE_SECRET_KEY: secretKey,
  };
}

/** What a launcher gives: a server that accepts. */
export interface LaunchedS3 {
  readonly port: number;
  readonly process: TiedProcess;
}
