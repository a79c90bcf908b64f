import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'minio';
import type { LaunchedS3, S3Bucket, S3Credentials, S3Place } from './s3-place.js';
import { launchSwift } from './swift.js';
import { missingForSwift } from './swift-packages.js';
import { launchVersitygw, missingForVersitygw } from './versitygw.js';

export { storageSettings } from './s3-place.js';
export type { S3Bucket, S3Credentials, S3Place } from './s3-place.js';

/** Servers that speak S3 and check signatures: a gateway over files in Go, and OpenStack Swift with its `s3api`. */
export const S3_SERVERS = ['versitygw', 'swift'] as const;
export type S3ServerKind = (typeof S3_SERVERS)[number];

/** A server in a process of its own, on a free loopback port, with random credentials. */
export interface S3Server extends S3Bucket {
  readonly pid: number;
  /** A further bucket. */
  newBucket(): Promise<S3Bucket>;
  /** Ends it and deletes what it held. */
  stop(): Promise<void>;
}

interface ServerKind {
  readonly missing: () => readonly string[];
  readonly newAccessKey: () => string;
  readonly launch: (directory: string, credentials: S3Credentials) => Promise<LaunchedS3>;
}

const KINDS: Readonly<Record<S3ServerKind, ServerKind>> = {
  versitygw: { missing: missingForVersitygw, newAccessKey: () => `key${hex(8)}`, launch: launchVersitygw },
  swift: { missing: missingForSwift, newAccessKey: () => `acc${hex(4)}:user${hex(4)}`, launch: launchSwift },
};

/**
 * Starts a server; the first time on a machine it is built or fetched, which takes a minute. It ends with this process at
 * the latest.
 */
export async function startS3Server(kind: S3ServerKind): Promise<S3Server> {
  const { launch, newAccessKey } = KINDS[kind];
  const directory = await mkdtemp(join(tmpdir(), `entrepot-${kind}-`));
  const remove = () => rm(directory, { recursive: true, force: true });
  const credentials = { region: 'us-east-1', accessKey: newAccessKey(), secretKey: hex(20) };
  try {
    const server = await launch(directory, credentials);
    const place: S3Place = { ...credentials, endpoint: `http://127.0.0.1:${server.port}`, pathStyle: true };
    const stop = () => server.process.kill().then(remove);
    return { ...(await makeBucket(place)), pid: server.process.pid, newBucket: () => makeBucket(place), stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** A client of the place, as tests look into a store behind the product's back. */
export function connectS3({ endpoint, region, accessKey, secretKey, pathStyle }: S3Place): Client {
  const { hostname, port } = new URL(endpoint);
  return new Client({ endPoint: hostname, port: Number(port), useSSL: false, region, accessKey, secretKey, pathStyle });
}

/** A new bucket of a random name. */
export async function makeBucket(place: S3Place): Promise<S3Bucket> {
  const bucket = `test-${hex(8)}`;
  await connectS3(place).makeBucket(bucket);
  return { ...place, bucket };
}

/**
 * Whether suites on this server are skipped because programs that it needs are missing. On a laptop they are, with a
 * notice; in CI (`CI=true`) they never are, and fail.
 */
export function isS3ServerSkipped(kind: S3ServerKind): boolean {
  const missing = KINDS[kind].missing();
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  process.stderr.write(`what needs ${kind} is skipped here: ${missing.join(', ')}\n`);
  return true;
}

function hex(byteCount: number): string {
  return randomBytes(byteCount).toString('hex');
}
