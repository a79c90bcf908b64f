import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { startInstallation, type Installation } from '@entrepot/testkit/installation';
import { startRedis } from '@entrepot/testkit/redis';
import { isS3ServerSkipped, startS3Server, storageSettings } from '@entrepot/testkit/s3-server';
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

const isMissing =
  isSkipped('replicas behind a balancer', PROGRAMS, { needsRoot: true }) || isS3ServerSkipped('versitygw');

describe.skipIf(isMissing)('three registries', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let directory: string;
  let engine: DockerEngine;
  let installation: Installation;
  beforeAll(async () => {
    directory = await makeDirectory();
    ends.push(() => rm(directory, { recursive: true, force: true }));
    engine = await startDockerEngine(directory);
    ends.push(engine.stop);
    const redis = await startRedis();
    ends.push(redis.remove);
    const s3 = await startS3Server('versitygw');
    ends.push(s3.stop);
    const settings = { ENTREPOT_REDIS_URL: redis.url, ...storageSettings(s3) };
    installation = await startInstallation({ registries: REGISTRIES, issuers: ISSUERS, settings });
    ends.push(installation.remove);
  });
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
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

    const images = `${log.acknowledged.length} images acknowledged, ${log.pulls} pulled meanwhile`;
    console.log(`seed ${SEED}: ${complaints.length} processes ended and restarted, ${images}`);
    expect(complaints.filter((complaint) => complaint !== undefined)).toEqual([]);
    expect(log.failures).toEqual([]);
    const [issuer] = issuers;
    for (const registry of registries) {
      const access = { account: installation.alice, issuer: issuer ?? registry };
      expect(await checkImages(registry, access, log.acknowledged)).toEqual([]);
    }
  });
});
