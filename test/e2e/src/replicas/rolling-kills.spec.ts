import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startInstallation, type Installation } from '@entrepot/testkit/installation';
import { startRedis, type RedisServer } from '@entrepot/testkit/redis';
import { startS3Server, storageSettings, type S3Server } from '@entrepot/testkit/s3-server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerOf, startDockerEngine, type DockerEngine } from '../drivers/docker.js';
import { persistentSkopeo } from '../drivers/skopeo.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory } from '../world/layout.js';
import { checkImages } from './check-images.js';
import { disrupt, planDisruptions } from './disruptions.js';
import { createWorker, type Worker, type WorkerOptions, type WorkLog } from './workers.js';

const PROGRAMS = ['docker', 'dockerd', 'skopeo', 'nginx', 'redis-server'];
const MIB = 1024 * 1024;
const REGISTRIES = 3;
const ISSUERS = 2;
const WORKERS_OF_A_KIND = 2;
const ROUND_COUNT = 2;
const MOST_DISRUPTING_MS = 120_000;
const SEED = Number(process.env['ENTREPOT_HA_SEED'] ?? 1);

describe.skipIf(isSkipped('replicas behind a balancer', PROGRAMS, { needsRoot: true }))('three registries', () => {
  let directory: string;
  let engine: DockerEngine;
  let redis: RedisServer;
  let s3: S3Server;
  let installation: Installation;
  beforeAll(async () => {
    directory = await makeDirectory();
    engine = await startDockerEngine(directory);
    redis = await startRedis();
    s3 = await startS3Server('versitygw');
    const settings = { ENTREPOT_REDIS_URL: redis.url, ...storageSettings(s3) };
    installation = await startInstallation({ registries: REGISTRIES, issuers: ISSUERS, settings });
  });
  afterAll(async () => {
    await installation.remove();
    await s3.stop();
    await redis.remove();
    await engine.stop();
    await rm(directory, { recursive: true, force: true });
  });

  const createWorkers = (options: Pick<WorkerOptions, 'kind' | 'layerBytes' | 'digestOf'>): Promise<Worker[]> => {
    const { host, alice: account } = installation;
    const homes = Array.from({ length: WORKERS_OF_A_KIND }, (_, at) => join(directory, `${options.kind.name}-${at}`));
    return Promise.all(homes.map((home) => createWorker({ ...options, home, host, account })));
  };

  it('are killed and restarted one after another, and no client fails and nothing is lost', async () => {
    const { registries, issuers, jobrunner } = installation;
    const workers = [
      ...(await createWorkers({
        kind: dockerOf(() => engine),
        layerBytes: 4 * MIB,
        digestOf: (_, pushed) => /digest: (sha256:[0-9a-f]{64})/.exec(pushed.stdout)?.[1] ?? 'none',
      })),
      ...(await createWorkers({ kind: persistentSkopeo, layerBytes: MIB / 2, digestOf: ({ top }) => top.digest })),
    ];
    const log: WorkLog = { acknowledged: [], failures: [], pulls: 0 };
    const stopping = new AbortController();
    const working = Promise.all(workers.map((worker) => worker.run(log, stopping.signal)));
    const services = { registry: registries, auth: issuers, jobrunner: [jobrunner] };
    const counts = { registry: REGISTRIES, auth: ISSUERS, jobrunner: 1 };
    const complaints: (string | undefined)[] = [];
    const deadlineMs = performance.now() + MOST_DISRUPTING_MS;
    for (const disruption of planDisruptions(SEED, counts, ROUND_COUNT)) {
      // A slow machine gets as far in the schedule as it gets.
      if (performance.now() > deadlineMs) break;
      const target = services[disruption.service][disruption.index];
      if (target) complaints.push(await disrupt(target, disruption));
    }
    stopping.abort();
    await working;

    console.log(
      `seed ${SEED}: ${complaints.length} ended and restarted, ${log.acknowledged.length} images acknowledged, ${log.pulls} pulled meanwhile`,
    );
    expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([]);
    expect(log.failures).toEqual([]);
    const [issuer] = issuers;
    for (const registry of registries) {
      const access = { account: installation.alice, issuer: issuer ?? registry };
      expect(await checkImages(registry, access, log.acknowledged)).toEqual([]);
    }
  });
});
