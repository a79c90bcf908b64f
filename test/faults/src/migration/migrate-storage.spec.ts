import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runEntrepot, startEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { contentOf } from '@entrepot/testkit/images';
import { isS3ServerSkipped, newTestBucket, type S3Bucket } from '@entrepot/testkit/test-bucket';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkJournal } from '../world/check.js';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startPushers } from '../world/pushers.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { filesBelow, objectsIn, s3Settings } from '../world/stores.js';
import { connect } from '../world/target.js';

const CLI = ['node_modules/.bin/node', 'apps/cli/dist/main.js'];
const TOP_DIRECTORY = new URL('../../../..', import.meta.url).pathname;
const PUSHED_BEFORE = 60;
const ENDS = ['SIGKILL', 'SIGINT', 'SIGKILL'] as const;

const migrate = (...args: readonly string[]) => ['storage', 'migrate', '--keep', '0s', ...args];

describe.skipIf(isS3ServerSkipped('versitygw'))('storage migrate', () => {
  let root: string;
  let bucket: S3Bucket;
  let replicas: Replicas;
  let old: Entrepot;
  let current: Entrepot;
  let settings: Record<string, string>;
  const journal = new Journal();

  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'entrepot-migration-'));
    bucket = await newTestBucket('versitygw');
    settings = { ...s3Settings(bucket), ENTREPOT_STORAGE_ROOT: root };
    replicas = await startReplicas({ storage: settings });
    old = await replicas.start({ ENTREPOT_STORAGE_DRIVER: 'filesystem' });
    current = await replicas.start();
  });
  afterAll(async () => {
    await replicas.remove();
    await rm(root, { recursive: true, force: true });
  });

  const environment = (driver: string): Record<string, string> => ({
    ...settings,
    ENTREPOT_DATABASE_URL: replicas.databaseUrl,
    ENTREPOT_STORAGE_DRIVER: driver,
  });

  async function blobsIn(form: string): Promise<number> {
    const [row] = await replicas.query<{ n: number }>('SELECT count(*)::int AS n FROM blob WHERE object_key ~ $1', [
      form,
    ]);
    return row?.n ?? 0;
  }

  const inFiles = () => blobsIn('^[0-9a-f]{32}$');
  const inBucket = () => blobsIn('^s3-');

  /** Everything doomed goes, and what is then left is what the blobs need. */
  async function reclaimed() {
    await replicas.query('UPDATE doomed_object SET due_at = now()');
    await replicas.reclaim();
    return { files: (await filesBelow(root)).length, objects: (await objectsIn(bucket)).length };
  }

  /** Begins to migrate, and is ended when some more blobs were moved; resolves with the exit code. */
  async function migrateUntil(signal: NodeJS.Signals): Promise<number | null> {
    const before = await inFiles();
    const [program = '', ...args] = [...CLI, ...migrate('--to', 's3', '--rate', '1MiB')];
    const env = { PATH: process.env['PATH'] ?? '', ...environment('s3') };
    const child = spawn(program, args, { cwd: TOP_DIRECTORY, env, stdio: 'ignore' });
    const ended = once(child, 'exit');
    await until(async () => (await inFiles()) <= before - 5, 'blobs to be moved');
    child.kill(signal);
    await ended;
    return child.exitCode;
  }

  it('moves everything to a bucket while pushes go on, however often it is ended', async () => {
    const earlier = startPushers(replicas.target(old), journal);
    await until(async () => (await inFiles()) >= PUSHED_BEFORE, 'blobs to move');
    await earlier.stop();
    const pushers = startPushers(replicas.target(current), journal);
    for (const signal of ENDS) expect(await migrateUntil(signal)).toBe(signal === 'SIGINT' ? 130 : null);
    const output = await runEntrepot(migrate('--to', 's3'), environment('s3'));
    await pushers.stop();
    console.log(`${journal.summary()}\n${output}`);
    expect(output).toMatch(/moved \d+ blobs .* to s3/);
    expect(await inFiles()).toBe(0);
    expect(journal.surprises).toEqual([]);
    for (const registry of [old, current]) expect(await checkJournal(replicas.target(registry), journal)).toEqual([]);
    expect(await reclaimed()).toEqual({ files: 0, objects: 2 * (await inBucket()) });
  });

  it('moves everything back, and says how far it is', async () => {
    const output = await runEntrepot(migrate('--to', 'filesystem', '--json'), environment('filesystem'));
    const lines = output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    const total = await inFiles();
    expect(lines.at(-2)).toMatchObject({ movedBlobs: total, totalBlobs: total, failedBlobs: 0 });
    expect(lines.at(-1)).toMatchObject({ elsewhere: { blobs: 0, uploads: 0 }, failures: [] });
    expect(await inBucket()).toBe(0);
    expect(await checkJournal(replicas.target(current), journal)).toEqual([]);
    expect(await reclaimed()).toEqual({ files: 2 * total, objects: 0 });
    expect(await checkJournal(replicas.target(old), journal)).toEqual([]);
  });

  it('refuses where the settings of the target are missing', async () => {
    const database = { ENTREPOT_DATABASE_URL: replicas.databaseUrl };
    const toBucket = runEntrepot(migrate('--to', 's3'), { ...database, ENTREPOT_STORAGE_ROOT: root });
    await expect(toBucket).rejects.toThrow(/ended with 78: .*ENTREPOT_STORAGE_BUCKET/);
    const { ENTREPOT_STORAGE_ROOT: _, ...withoutRoot } = environment('s3');
    const toFiles = runEntrepot(migrate('--to', 'filesystem'), {
      ...withoutRoot,
      ENTREPOT_DATA_DIR: join(root, 'none'),
    });
    await expect(toFiles).rejects.toThrow(/ended with 78: .*ENTREPOT_STORAGE_ROOT/);
    await expect(runEntrepot(migrate('--to', 'floppy'), environment('s3'))).rejects.toThrow(/ended with 64/);
  });
});

describe.skipIf(isS3ServerSkipped('versitygw'))('the storage commands beside a standalone Entrepot', () => {
  let product: Entrepot;
  let bucket: S3Bucket;

  beforeAll(async () => {
    bucket = await newTestBucket('versitygw');
    product = await startEntrepot({ settings: { ...s3Settings(bucket), ENTREPOT_STORAGE_DRIVER: 'filesystem' } });
  });
  afterAll(() => product.remove());

  it('move its blobs, which it goes on serving', async () => {
    const client = connect(product);
    const journal = new Journal();
    const content = contentOf('application/octet-stream', randomBytes(20 * 2 ** 20));
    await pushBlob({ client, journal, repository: 'admin/moved' }, content, 'streamed');
    expect(await product.run(['storage', 'migrate', '--to', 's3'])).toContain('moved 1 blob (20.0 MiB) to s3');
    expect(await checkJournal(product, journal)).toEqual([]);
    expect(await objectsIn(bucket)).toHaveLength(2);
    client.close();
  });

  it('try what the registry does with its store', async () => {
    const files = await product.run(['storage', 'check']);
    expect(files).toMatch(/^filesystem: \/.*\n {2}write +ok .*\n {2}read +ok .*\n {2}range +ok .*\n {2}multipart +ok /);
    const settings = { ...s3Settings(bucket), ENTREPOT_DATA_DIR: product.dataDirectory };
    const checked = await runEntrepot(['storage', 'check'], settings);
    expect(checked).toMatch(/^s3: .*\n {2}write +ok .*\n {2}read +ok .*\n {2}range +ok .*\n {2}multipart +ok /);
    expect(checked).toMatch(/presign +ok .*\n {2}delete +ok /);
    expect(await objectsIn(bucket)).toHaveLength(2);
  });

  it('say what is wrong with a store', async () => {
    const wrong = { ...s3Settings(bucket), ENTREPOT_STORAGE_SECRET_KEY: 'wrong-wrong-wrong-wrong' };
    await expect(runEntrepot(['storage', 'check'], wrong)).rejects.toThrow(/ended with 69: .*write, .*multipart/);
  });
});
