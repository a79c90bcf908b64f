import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { startInstallation, type Installation } from '@entrepot/testkit/installation';
import { openRegistry } from '@entrepot/testkit/registry-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerOf, startDockerEngine, type DockerEngine } from '../drivers/docker.js';
import { skopeo } from '../drivers/skopeo.js';
import { isSkipped } from '../world/find-tool.js';
import { makeDirectory } from '../world/layout.js';
import { checkImages } from './check-images.js';
import { createWorker, type Acknowledged, type WorkLog } from './workers.js';

const PROGRAMS = ['docker', 'dockerd', 'skopeo', 'nginx'];
const TOP_DIRECTORY = fileURLToPath(new URL('../../../..', import.meta.url));
const STORM = join(TOP_DIRECTORY, 'test', 'storm', 'dist', 'main.js');
const GRACE = '20s';
const UNDO = '1s';
const LAYER_BYTES = 256 * 1024;
/** For longer than the grace time, so that layers that were shared are collected meanwhile. */
const WORKING_MS = 45_000;
/** More than a storm gets to before it is told to end. */
const OPERATIONS = 1_000_000;

const isMissing = isSkipped('docker through a storm', PROGRAMS, { needsRoot: true });

describe.skipIf(isMissing)('docker and skopeo in a storm of pushes, deletions and collections', () => {
  const ends: (() => Promise<unknown>)[] = [];
  let directory: string;
  let engine: DockerEngine;
  let installation: Installation;
  beforeAll(async () => {
    directory = await makeDirectory();
    ends.push(() => rm(directory, { recursive: true, force: true }));
    engine = await startDockerEngine(directory);
    ends.push(engine.stop);
    const settings = {
      ENTREPOT_GC_GRACE: GRACE,
      ENTREPOT_GC_UNDO: UNDO,
      ENTREPOT_GC_UNTAGGED: GRACE,
      ENTREPOT_GC_ORPHANS: GRACE,
      ENTREPOT_GC_INTERVAL: '250ms',
    };
    installation = await startInstallation({ registries: 2, settings });
    ends.push(installation.remove);
  });
  afterAll(async () => {
    for (const end of ends.toReversed()) await end();
  });

  /** A storm against the installation; `end` lets it end and resolves with what it said then, and its exit code. */
  async function startStorm(): Promise<{ end: () => Promise<{ code: number | null; output: string }> }> {
    const { databaseUrl, registries, issuers, admin, alice: stranger } = installation;
    const [issuer] = issuers;
    const file = join(directory, 'installation.json');
    const doors = { issuer: { url: issuer?.url }, registries: registries.map(({ url }) => ({ url })) };
    await writeFile(file, JSON.stringify({ databaseUrl, ...doors, admin, stranger }));
    const options = ['--against', file, '--grace', GRACE, '--undo', UNDO, '--operations', String(OPERATIONS)];
    const child = spawn(process.execPath, [STORM, ...options], { stdio: ['ignore', 'pipe', 'pipe'] });
    const output = Promise.all([text(child.stdout), text(child.stderr)]);
    const ended = once(child, 'exit');
    ends.push(async () => child.kill('SIGKILL'));
    const end = async () => {
      child.kill('SIGTERM');
      await ended;
      return { code: child.exitCode, output: (await output).join('\n') };
    };
    return { end };
  }

  /** Deletes images whose worker has pushed another since, so that what they shared may be collected. */
  async function deleteOld(log: WorkLog, left: Acknowledged[]): Promise<void> {
    const client = openRegistry(installation.url, installation.alice);
    const latest = new Map(log.acknowledged.map((image) => [image.tag.split('-')[0], image]));
    const old = log.acknowledged.filter((image) => latest.get(image.tag.split('-')[0]) !== image);
    for (const image of old.filter((one) => !left.includes(one))) {
      const path = `/v2/${image.repository}/manifests/${image.digest}`;
      const { status } = await client.send({ method: 'DELETE', path });
      if (status !== 202) log.failures.push(`DELETE ${path}: ${status}`);
      left.push(image);
    }
    client.close();
  }

  it('push and pull without a failure', async () => {
    const { host, alice: account } = installation;
    const shared = { host, account, layerBytes: LAYER_BYTES };
    const docker = dockerOf(() => engine);
    const workers = [
      await createWorker({
        ...shared,
        kind: docker,
        home: join(directory, 'docker'),
        digestOf: (_, pushed) => /digest: (sha256:[0-9a-f]{64})/.exec(pushed.stdout)?.[1] ?? 'none',
      }),
      await createWorker({
        ...shared,
        kind: skopeo,
        home: join(directory, 'skopeo'),
        digestOf: ({ top }) => top.digest,
      }),
    ];
    const log: WorkLog = { acknowledged: [], failures: [], pulls: 0 };
    const stopping = new AbortController();
    const storm = await startStorm();
    const working = Promise.all(workers.map((worker) => worker.run(log, stopping.signal)));
    const deleted: Acknowledged[] = [];
    for (const deadlineMs = performance.now() + WORKING_MS; performance.now() < deadlineMs; await delay(1000)) {
      await deleteOld(log, deleted);
    }
    stopping.abort();
    await working;
    const { code, output } = await storm.end();

    console.log(
      `${log.acknowledged.length} images acknowledged, ${log.pulls} pulled, ${deleted.length} deleted\n${output}`,
    );
    expect(log.failures).toEqual([]);
    expect(log.pulls).toBeGreaterThan(2);
    expect({ code, output: code === 0 ? '' : output }).toEqual({ code: 0, output: '' });
    const [issuer] = installation.issuers;
    const kept = log.acknowledged.filter((image) => !deleted.includes(image));
    for (const registry of installation.registries) {
      expect(await checkImages(registry, { account, issuer: issuer ?? registry }, kept)).toEqual([]);
    }
  });
});
