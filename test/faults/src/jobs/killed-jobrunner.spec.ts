import { randomBytes } from 'node:crypto';
import { contentOf } from '@entrepot/testkit/images';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Journal } from '../world/journal.js';
import { until } from '../world/process-state.js';
import { pushBlob } from '../world/push.js';
import { startReplicas, type Replicas } from '../world/replicas.js';
import { connect } from '../world/target.js';

const BLOBS = 24;
const BLOB_BYTES = 64 * 1024;

interface JobJson {
  readonly id: string;
  readonly status: string;
  readonly workerID: string;
  readonly progress: { readonly done: number } | null;
  readonly result: Readonly<Record<string, number>> | null;
}

let replicas: Replicas;

beforeAll(async () => {
  // Slow enough to be killed in the middle of it, and done within the time that `until` has after that.
  replicas = await startReplicas({ settings: { ENTREPOT_GC_SCRUB_RATE: '96KiB' } });
});
afterAll(() => replicas.remove());

it('a jobrunner that is killed amid a scrub loses it to another one, which reads on and ends it', async () => {
  const registry = await replicas.start();
  const client = connect(replicas.target(registry));
  const bench = { client, journal: new Journal(), repository: 'admin/scrubbed' };
  for (let count = 0; count < BLOBS; count += 1) {
    await pushBlob(bench, contentOf('application/octet-stream', randomBytes(BLOB_BYTES)), 'whole');
  }
  client.close();
  const first = await replicas.startJobrunner();
  const asked = JSON.parse(await replicas.run(['job', 'run', 'scrub', '--json'])) as JobJson;
  const show = async () => JSON.parse(await replicas.run(['job', 'show', asked.id])) as JobJson;
  await until(async () => ((await show()).progress?.done ?? 0) >= 3 * BLOB_BYTES, 'the scrub to get on');
  await replicas.startJobrunner();
  await first.kill();
  const { workerID } = await show();
  await until(async () => (await show()).workerID !== workerID, 'another one to take it over');
  await until(async () => (await show()).status !== 'running', 'the scrub to end');
  expect(await show()).toMatchObject({
    status: 'done',
    result: { objects: BLOBS, bytes: BLOBS * BLOB_BYTES, missing: 0, short: 0, corrupt: 0, unreadable: 0 },
  });
  const log = await replicas.run(['job', 'logs', asked.id]);
  expect(log).toMatch(/worker_dead: .*\n.*worker_started: worker \S+ goes on from where it was\n/);
});
