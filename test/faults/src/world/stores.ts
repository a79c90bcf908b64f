import { mkdtemp, readFile, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { isS3ServerSkipped, type S3Bucket } from '@entrepot/testkit/s3-server';
import { connectS3, newTestBucket } from '@entrepot/testkit/test-bucket';

/** Where replicas keep blobs in these tests. */
export const STORES = (['filesystem', 'versitygw'] as const).filter(
  (store) => store === 'filesystem' || !isS3ServerSkipped(store),
);
export type StoreKind = (typeof STORES)[number];

/** Settings of a store, and what lies in it. */
export interface TestStore {
  readonly settings: Readonly<Record<string, string>>;
  /** Names of everything that it holds, unfinished parts included, but for the marks of checks. */
  contents(): Promise<string[]>;
  /** Turns one bit of the object over, as a disk might. */
  flipBit(key: string, atByte: number): Promise<void>;
  /** Cuts off the end of the object. */
  shorten(key: string, sizeBytes: number): Promise<void>;
  /** Takes the object away, and leaves its record. */
  lose(key: string): Promise<void>;
  /** Buckets go with the run's server. */
  remove(): Promise<void>;
}

/** A store of its own for a spec: a directory, or a bucket on the run's server. */
export async function openTestStore(kind: StoreKind): Promise<TestStore> {
  if (kind === 'filesystem') {
    const directory = await mkdtemp(join(tmpdir(), 'entrepot-store-'));
    return {
      settings: { ENTREPOT_STORAGE_ROOT: directory },
      contents: async () => (await filesBelow(directory)).map((path) => basename(path)),
      flipBit: async (key, atByte) => {
        const path = await pathIn(directory, key);
        await writeFile(path, flipped(await readFile(path), atByte));
      },
      shorten: async (key, sizeBytes) => truncate(await pathIn(directory, key), sizeBytes),
      lose: async (key) => rm(await pathIn(directory, key)),
      remove: () => rm(directory, { recursive: true, force: true }),
    };
  }
  const bucket = await newTestBucket(kind);
  return {
    settings: s3Settings(bucket),
    contents: () => objectsIn(bucket),
    flipBit: (key, atByte) => rewrite(bucket, key, (bytes) => flipped(bytes, atByte)),
    shorten: (key, sizeBytes) => rewrite(bucket, key, (bytes) => bytes.subarray(0, sizeBytes)),
    lose: async (key) => connectS3(bucket).removeObject(bucket.bucket, await nameIn(bucket, key)),
    remove: () => Promise.resolve(),
  };
}

async function pathIn(directory: string, key: string): Promise<string> {
  return (await filesBelow(directory)).find((path) => basename(path) === key) ?? key;
}

async function nameIn(bucket: S3Bucket, key: string): Promise<string> {
  return (await objectsIn(bucket)).find((name) => basename(name) === key) ?? key;
}

async function rewrite(bucket: S3Bucket, key: string, change: (bytes: Buffer) => Buffer): Promise<void> {
  const client = connectS3(bucket);
  const name = await nameIn(bucket, key);
  const bytes = await buffer(await client.getObject(bucket.bucket, name));
  await client.putObject(bucket.bucket, name, change(bytes));
}

/** Variables for a store in a bucket; `endpoint` where something stands before the server. */
export function s3Settings(bucket: S3Bucket, endpoint = bucket.endpoint): Readonly<Record<string, string>> {
  return {
    ENTREPOT_STORAGE_DRIVER: 's3',
    ENTREPOT_STORAGE_ENDPOINT: endpoint,
    ENTREPOT_STORAGE_BUCKET: bucket.bucket,
    ENTREPOT_STORAGE_REGION: bucket.region,
    ENTREPOT_STORAGE_ACCESS_KEY: bucket.accessKey,
    ENTREPOT_STORAGE_SECRET_KEY: bucket.secretKey,
    ENTREPOT_STORAGE_PATH_STYLE: String(bucket.pathStyle),
  };
}

/** Paths of all files of a store in a directory; without the recovery log. */
export async function filesBelow(directory: string): Promise<string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile() && basename(entry.parentPath) !== 'recovery');
  return files.map((entry) => join(entry.parentPath, entry.name));
}

/** Names of all objects of a bucket, and of those whose parts were never joined; without the recovery log. */
export async function objectsIn(bucket: S3Bucket): Promise<string[]> {
  const client = connectS3(bucket);
  const objects: { name: string }[] = await client.listObjectsV2(bucket.bucket, '', true).toArray();
  const uploads: { key: string }[] = await client.listIncompleteUploads(bucket.bucket, '', true).toArray();
  const names = [...objects.map(({ name }) => name), ...uploads.map(({ key }) => `${key} (parts)`)];
  return names.filter((name) => !/(^|\/)recovery\//.test(name));
}

function flipped(bytes: Buffer, atByte: number): Buffer {
  bytes[atByte] = (bytes[atByte] ?? 0) ^ 1;
  return bytes;
}
