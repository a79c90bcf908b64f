import { randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MemoryBlobStore, openBlobStore, storageConfig } from '@entrepot/blob-store';
import { startUpload, type BlobStore } from '@entrepot/content';
import { startEmbeddedPostgres, type EmbeddedPostgres } from '@entrepot/embedded-postgres';
import { PostgresContentReader, PostgresUploads, createPool, migrate } from '@entrepot/metadata';
import { isS3ServerSkipped } from '@entrepot/testkit/s3-server';
import { newTestBucket } from '@entrepot/testkit/test-bucket';
import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Random } from '@entrepot/testkit/random';
import { Replica } from './replica.js';
import { Session, type Cluster } from './session.js';

const REPLICA_COUNT = 3;
/** Uploads at a time, each with replicas of its own. */
const LANE_COUNT = 4;
const MOST_STEPS_OF_AN_UPLOAD = 60;
/** Most of the time is spent on waiting for leases; a loaded machine waits longer for all else. */
const TIMEOUT_MS = 900_000;
const KIB = 2 ** 10;

/** Set it to what a failed run printed, to have the same choices again; how they interleave is the machine's own. */
const SEED = Number(process.env['ENTREPOT_TEST_SEED'] ?? randomInt(2 ** 32));

interface Kind {
  readonly name: string;
  readonly steps: number;
  /** Bodies are at most one of these long; those beyond a part are of interest where there are parts. */
  readonly sizesBytes: readonly [number, ...number[]];
  /** Opens the store as one process does. */
  readonly prepare: (directory: string) => Promise<() => Promise<BlobStore>>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'memory',
    steps: 1500,
    sizesBytes: [16, 2000],
    prepare: async () => {
      const store = new MemoryBlobStore();
      return async () => store;
    },
  },
  {
    name: 'filesystem',
    steps: 1500,
    sizesBytes: [16, 2000, 300 * KIB, 2500 * KIB],
    prepare: async (directory) => {
      const config = storageConfig.parse({ root: join(directory, 'storage'), minFree: '1MiB' });
      return () => openBlobStore(config, directory);
    },
  },
  {
    name: 's3',
    steps: 300,
    sizesBytes: [2000, 2000, 300 * KIB, 9000 * KIB],
    prepare: async (directory) => {
      const { endpoint, bucket, region, accessKey, secretKey, pathStyle } = await newTestBucket('versitygw');
      const place = { endpoint, bucket, region, accessKey, secretKey, pathStyle: String(pathStyle) };
      const config = storageConfig.parse({ driver: 's3', ...place });
      return () => openBlobStore(config, directory);
    },
  },
];

const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };

describe.each(KINDS.filter(({ name }) => name !== 's3' || !isS3ServerSkipped('versitygw')))(
  'uploads over $name',
  ({ name, steps, sizesBytes, prepare }) => {
    let directory: string;
    let postgres: EmbeddedPostgres;
    let pool: Pool;
    let openStore: () => Promise<BlobStore>;
    const ids = { accountId: randomUUID(), repositoryId: randomUUID() };

    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'entrepot-sequences-'));
      postgres = await startEmbeddedPostgres({ directory: join(directory, 'postgres') });
      await migrate(postgres.url);
      const owner = createPool({ url: postgres.url, role: 'owner', poolSize: 1, ...timeouts });
      const { accountId, repositoryId } = ids;
      await owner.query(`INSERT INTO namespace (id, name, kind) VALUES ($1, 'alice', 'user')`, [accountId]);
      await owner.query('INSERT INTO account (id) VALUES ($1)', [accountId]);
      await owner.query(`INSERT INTO repository (id, namespace_id, name) VALUES ($1, $2, 'alice/app')`, [
        repositoryId,
        accountId,
      ]);
      await owner.end();
      openStore = await prepare(directory);
      pool = createPool({ url: postgres.url, role: 'registry', poolSize: 12, ...timeouts });
    });
    afterAll(async () => {
      await pool.end();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    });

    async function openCluster(random: Random): Promise<Cluster> {
      const uploads = new PostgresUploads(pool);
      const reader = new PostgresContentReader(pool, pool);
      const stores = await Promise.all(Array.from({ length: REPLICA_COUNT + 1 }, openStore));
      const [store = await openStore(), ...others] = stores;
      const replicas = others.map((each) => new Replica(uploads, each));
      return {
        random,
        witness: new Replica(uploads, store),
        sizesBytes,
        replicas,
        store,
        begin: ({ room }) => startUpload(room, { ...ids, algorithm: random.pick(['sha256', 'sha512']) }),
        // The store of a dead process is not used again, as its files are not.
        replace: async (replica) => {
          replicas[replicas.indexOf(replica)] = new Replica(uploads, await openStore());
        },
        find: ({ repositoryId }, digest) => reader.blob(repositoryId, digest),
      };
    }

    it(
      `are what some order of their requests makes of them (ENTREPOT_TEST_SEED=${SEED})`,
      async () => {
        let [taken, uploads] = [0, 0];
        const lanes = Array.from({ length: LANE_COUNT }, async (_, lane) => {
          const cluster = await openCluster(new Random(SEED + lane));
          for (; taken < steps; uploads += 1) {
            taken += await (await Session.begin(cluster)).run(MOST_STEPS_OF_AN_UPLOAD);
          }
        });
        await Promise.all(lanes);
        console.log(`${name}, seed ${SEED}: ${taken} steps in ${uploads} uploads`);
        expect(taken).toBeGreaterThanOrEqual(steps);
      },
      TIMEOUT_MS,
    );
  },
);
