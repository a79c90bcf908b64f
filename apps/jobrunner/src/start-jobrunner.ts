import { openBlobStore } from '@entrepot/blob-store';
import { FAIL_POINTS, watchPurge, watchStore } from '@entrepot/content';
import {
  PostgresBlobWalk,
  PostgresJobClaims,
  PostgresJobRecords,
  PostgresPurge,
  PostgresRecoverySource,
  openPools,
  type ServicePools,
} from '@entrepot/metadata';
import { ConfigError, armFailPoint, createQueues, type RunningService, type ServiceResources } from '@entrepot/runtime';
import { JOB_CONNECTIONS, type JobrunnerConfig } from './config.js';
import { openControl } from './grpc/open-control.js';
import { watchQuarantine } from './integrity/watch-quarantine.js';
import { startJobs } from './jobs/start-jobs.js';
import { createKinds } from './kinds/create-kinds.js';
import { keepRecoveryLog } from './recovery/keep-recovery-log.js';

/** Queues in Postgres listen in a session of their own, which a pooler does not give. */
function refuseQueueBehindPooler({ redis }: JobrunnerConfig, { session }: ServicePools): void {
  if (redis.url !== undefined || session.pooler !== 'transaction') return;
  throw new ConfigError([
    'ENTREPOT_DATABASE_DIRECT_URL: required where ENTREPOT_DATABASE_URL leads to a pooler and no Redis holds the queues',
  ]);
}

/** Work in the background. Queues only say that it is time to look; Postgres says at what. */
export async function startJobrunner(config: JobrunnerConfig, resources: ServiceResources): Promise<RunningService> {
  const { logger, metrics } = resources;
  const { database } = config;
  const pools = await openPools('jobrunner', database, resources);
  refuseQueueBehindPooler(config, pools);
  const pool = pools.open('jobrunner', database.poolSize);
  const store = await openBlobStore(config.storage, resources.dataDirectory);
  const jobPool = pools.open('jobs', JOB_CONNECTIONS);
  const ring = () => void resources.bells.ring('jobs.changed');
  const control = await openControl(config.grpc, { records: new PostgresJobRecords(jobPool), ring, logger });
  const queues = await createQueues({
    service: 'jobrunner',
    logger,
    redis: resources.redis,
    connectionString: pools.session.url,
  });
  const plain = { purge: new PostgresPurge(pool), store };
  const reached = armFailPoint(FAIL_POINTS, config.http, logger);
  const ports = reached ? { purge: watchPurge(plain.purge, reached), store: watchStore(store, reached) } : plain;
  const { places } = store;
  const kinds = createKinds({ config, pool, session: pools.session, ...ports, places, reached, logger, metrics });
  const claims = new PostgresJobClaims(jobPool);
  const jobs = await startJobs({ kinds, claims, config: config.jobs, queues, bells: resources.bells, logger, metrics });
  const recoveryLog = keepRecoveryLog({
    source: new PostgresRecoverySource(pool),
    place: store.current,
    logger,
    metrics,
  });
  const quarantine = watchQuarantine({ walk: new PostgresBlobWalk(pool), metrics, logger });
  return {
    mounts: [],
    checks: { database: () => pool.query('SELECT 1'), storage: () => store.check() },
    isReady: () => true,
    async close() {
      await control?.close();
      await queues.close();
      await jobs.close();
      await recoveryLog.close();
      await quarantine.close();
      await pools.end();
    },
  };
}
