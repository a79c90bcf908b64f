import { randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { createConnection, type Connection } from './connection.js';
import { expectStatus } from './expect-status.js';
import type { SteadyJob } from './jobs.js';
import { digestOf, IMAGE_MANIFEST, makeImage, pushImage } from './push-image.js';

const LAYER_BYTES = 4096;

/**
 * Begins a pull or a push at set moments, however long those before take. Resolves with the time of each from the moment
 * that it was due: what waits for its turn counts as slow.
 */
export async function runSteadily(job: SteadyJob): Promise<number[]> {
  const act = job.work === 'pull' ? await preparePull(job) : preparePush(job);
  const idle: Connection[] = [];
  const every: Connection[] = [];
  const open = (): Connection => {
    const connection = createConnection(job.origin);
    every.push(connection);
    return connection;
  };
  const timesMs: number[] = [];
  const pending: Promise<void>[] = [];
  const started = performance.now();
  for (let index = 0; (index * 1000) / job.perSecond < job.durationMs; index += 1) {
    const dueAt = started + (index * 1000) / job.perSecond;
    const early = dueAt - performance.now();
    if (early > 0) await delay(early);
    const connection = idle.pop() ?? open();
    const acting = act(connection).then(() => {
      timesMs.push(performance.now() - dueAt);
      idle.push(connection);
    });
    acting.catch(() => undefined);
    pending.push(acting);
  }
  try {
    await Promise.all(pending);
  } finally {
    for (const connection of every) connection.close();
  }
  return timesMs;
}

type Act = (connection: Connection) => Promise<void>;

function preparePush({ target }: SteadyJob): Act {
  const run = randomUUID().slice(0, 8);
  let count = 0;
  return async (connection) => {
    const image = makeImage(1, LAYER_BYTES);
    await pushImage(connection, target, { image, tag: `${run}-${count++}`, style: 'containerd' });
  };
}

/** The manifest of an image, and then its layer. */
async function preparePull({ origin, target }: SteadyJob): Promise<Act> {
  const image = makeImage(1, LAYER_BYTES);
  const tag = randomUUID();
  const first = createConnection(origin);
  await pushImage(first, target, { image, tag, style: 'containerd' });
  first.close();
  const headers = { Authorization: `Bearer ${target.token}`, Accept: IMAGE_MANIFEST };
  const [layer = Buffer.alloc(0)] = image.layers;
  const paths = [`manifests/${tag}`, `blobs/${digestOf(layer)}`].map((part) => `/v2/${target.repository}/${part}`);
  return async (connection) => {
    for (const path of paths) expectStatus(await connection.exchange({ method: 'GET', path, headers }), [200], path);
  };
}
