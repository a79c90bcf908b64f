import { readFileSync } from 'node:fs';
import { StoreUnavailable } from '@entrepot/content';
import type { StorageConfig } from '../config.js';
import { S3_KEY_PATTERN } from '../s3/object-names.js';
import { S3BlobStore, type S3BlobStoreOptions } from '../s3/s3-blob-store.js';
import { S3RecoveryLog } from '../s3/s3-recovery-log.js';
import type { ObjectPlace } from './object-place.js';

/** A bucket as the place of new objects, proven to work. */
export async function openS3Place(config: StorageConfig): Promise<ObjectPlace> {
  const place = findS3Place(config);
  if (place === undefined)
    throw new StoreUnavailable('ENTREPOT_STORAGE_BUCKET: required by the driver s3, but not set');
  await place.store.check();
  return place;
}

/** The bucket of the settings, whatever the driver; undefined where they name none. Nothing is asked of the store. */
export function findS3Place(config: StorageConfig): ObjectPlace | undefined {
  const options = optionsOf(config);
  if (options === undefined) return undefined;
  const store = new S3BlobStore(options);
  const where = `${options.bucket} at ${options.endpoint.origin}`;
  return {
    name: 's3',
    where,
    keyPattern: S3_KEY_PATTERN,
    store,
    recovery: new S3RecoveryLog(options),
    isRemote: true,
    endsUploads: () => store.endsUploads(),
    sign: (key, terms) => store.sign(key, terms),
  };
}

function optionsOf(config: StorageConfig): S3BlobStoreOptions | undefined {
  const { bucket, accessKey, secretKey, region, prefix = '', ca } = config;
  if (bucket === undefined || accessKey === undefined || secretKey === undefined) return undefined;
  const endpoint = new URL(config.endpoint ?? `https://s3.${region}.amazonaws.com`);
  return {
    endpoint,
    publicEndpoint: config.publicEndpoint === undefined ? endpoint : new URL(config.publicEndpoint),
    bucket,
    prefix: prefix === '' || prefix.endsWith('/') ? prefix : `${prefix}/`,
    region,
    accessKey,
    secretKey,
    isPathStyle: config.pathStyle,
    ...(ca !== undefined && { ca: readAuthorities(ca) }),
    encryption: encryptionHeaders(config),
    timeouts: { connectMs: config.connectTimeout, idleMs: config.idleTimeout },
    bufferBytes: config.buffers,
  };
}

function encryptionHeaders({ encryption, kmsKey }: StorageConfig): Record<string, string> {
  switch (encryption) {
    case 'none':
      return {};
    case 'sse-s3':
      return { 'x-amz-server-side-encryption': 'AES256' };
    case 'sse-kms': {
      const key = kmsKey === undefined ? {} : { 'x-amz-server-side-encryption-aws-kms-key-id': kmsKey };
      return { 'x-amz-server-side-encryption': 'aws:kms', ...key };
    }
  }
}

function readAuthorities(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new StoreUnavailable(`ENTREPOT_STORAGE_CA: the file cannot be read (${reason})`, { cause: error });
  }
}
