import { randomUUID } from 'node:crypto';
import { RevocationList, VerifyingKeys } from '@entrepot/access';
import { openBlobStore, type JoinedBlobStore } from '@entrepot/blob-store';
import {
  FAIL_POINTS,
  RunningHashes,
  UseMarks,
  watchStore,
  watchUploads,
  watchWork,
  type Reached,
  type SuspectObjects,
} from '@entrepot/content';
import {
  PostgresAccessChanges,
  PostgresContentReader,
  PostgresManifestUses,
  PostgresPublicKeys,
  PostgresRepositories,
  PostgresUnitOfWork,
  PostgresUploads,
  holdSignOfLife,
  openPools,
  type ReadReplica,
  type SignOfLife,
} from '@entrepot/metadata';
import { ROUTES } from '@entrepot/oci';
import {
  armFailPoint,
  createNestHandler,
  signWithRing,
  verifyWithRing,
  type RunningService,
  type ServiceResources,
} from '@entrepot/runtime';
import type { Pool } from 'pg';
import type { RegistryConfig } from './config.js';
import { createDelivery } from './create-delivery.js';
import { createIdentification } from './create-identification.js';
import { createSuspects } from './create-suspects.js';
import { GuardRoom } from './http/access.guard.js';
import type { RegistryRoom } from './http/call.js';
import { RegistryHandlers } from './http/registry.controller.js';
import { openReadReplica } from './open-read-replica.js';
import { registryModule } from './registry.module.js';
import { writeRecoveryLog } from './write-recovery-log.js';

/** How often the data plane asks who lost rights where no bell tells it to: the bound of a withdrawal, with the query. */
const REVOCATION_INTERVAL_MS = 1000;
/** Without news of who lost rights for so long, another replica should be asked. */
const MAX_REVOCATION_AGE_MS = 5000;

/** The data plane: `/v2/` over the shared Postgres and the blob store. */
export async function startRegistry(config: RegistryConfig, resources: ServiceResources): Promise<RunningService> {
  const { logger, redis, bells } = resources;
  // What may refuse to open comes first: nothing works in the background yet that would keep a failed process alive.
  const reached = armFailPoint(FAIL_POINTS, config.http, logger);
  const store = await openBlobStore(config.storage, resources.dataDirectory);
  const pools = await openPools('registry', config.database, resources);
  const pool = pools.open('registry', config.database.poolSize);
  const revocations = new RevocationList(new PostgresAccessChanges(pool));
  const keys = new VerifyingKeys(new PostgresPublicKeys(pool), Date.now);
  const onError = (error: unknown) => logger.warn({ err: error }, 'the access tables cannot be read; trying again');
  await revocations.start(REVOCATION_INTERVAL_MS, onError);
  await keys.start(onError);
  const lookups = pools.open('registry-lookups', config.database.lookupPoolSize, { isByKey: true });
  const replica = openReadReplica(config, pools, { pool, logger });
  const signOfLife = holdSignOfLife(pools.session);
  const ignoreChanges = bells.onRing('access.changed', () => revocations.hurry());
  const guard = new GuardRoom(
    createIdentification(config, pool, { keys, revocations, redis }),
    revocations,
    config.http,
    config.token.service,
  );
  const suspects = createSuspects(store, { ...resources, pool });
  const uses = startUseMarks(config, pool, logger);
  const plain = registryRoom(config, { pool, lookups, replica, signOfLife, store, suspects, uses }, resources);
  const room = reached ? watchedRoom(plain, reached) : plain;
  const nest = await createNestHandler(registryModule(new RegistryHandlers(room), guard), { logger });
  return {
    mounts: [
      {
        prefix: '/v2',
        handler: nest.handler,
        options: {
          service: 'registry',
          routes: ROUTES.map(({ route }) => route),
          headers: { 'Docker-Distribution-Api-Version': 'registry/2.0' },
        },
      },
    ],
    checks: { database: () => pool.query('SELECT 1'), storage: () => store.check() },
    isReady: () => keys.current().size > 0 && revocations.isFresh(MAX_REVOCATION_AGE_MS),
    async close() {
      ignoreChanges();
      await nest.close();
      await Promise.all([revocations.stop(), keys.stop(), replica?.stop(), suspects.stop(), uses.close()]);
      await writeRecoveryLog(pool, store.current, logger);
      await Promise.all([pools.end(), signOfLife.close()]);
    },
  };
}

interface Opened {
  readonly pool: Pool;
  readonly lookups: Pool;
  readonly replica: ReadReplica | undefined;
  readonly signOfLife: SignOfLife;
  readonly store: JoinedBlobStore;
  readonly suspects: SuspectObjects;
  readonly uses: UseMarks;
}

function registryRoom(
  { content, gc, http, storage }: RegistryConfig,
  { pool, lookups, replica, signOfLife, store, suspects, uses }: Opened,
  { logger, metrics, bells }: ServiceResources,
): RegistryRoom {
  return {
    reader: new PostgresContentReader(pool, lookups, replica),
    repositories: new PostgresRepositories(pool),
    uses,
    work: new PostgresUnitOfWork(pool, replica),
    delivery: createDelivery(store, storage, { http, logger, metrics, suspects }),
    push: {
      uploads: new PostgresUploads(pool, signOfLife),
      store,
      hashes: new RunningHashes(),
      leaseMs: content.uploadLease,
      graceMs: gc.grace,
      maxBlobBytes: content.maxBlob,
      maxUploads: content.maxUploads,
      newId: randomUUID,
      onDoomed: () => void bells.ring('storage.doomed'),
    },
    rules: {
      sparse: content.sparse,
      graceMs: gc.grace,
      maxManifestBytes: content.maxManifest,
      maxTagsPerPush: content.maxTagsPerPush,
    },
    signer: {
      sign: (text) => signWithRing(http.secret, text),
      verify: (text, mac) => verifyWithRing(http.secret, text, mac),
    },
  };
}

function startUseMarks({ gc }: RegistryConfig, pool: Pool, logger: ServiceResources['logger']): UseMarks {
  const onError = (error: unknown) => logger.warn({ err: error }, 'uses of manifests cannot be noted; trying again');
  const marks = new UseMarks({ uses: new PostgresManifestUses(pool), untaggedMs: gc.untagged, onError });
  marks.start();
  return marks;
}

/** For tests of what a crash leaves behind: every step of the commit protocol can be the last one. */
function watchedRoom(room: RegistryRoom, reached: Reached): RegistryRoom {
  const { uploads, store } = room.push;
  const push = { ...room.push, uploads: watchUploads(uploads, reached), store: watchStore(store, reached) };
  return { ...room, work: watchWork(room.work, reached), push };
}
