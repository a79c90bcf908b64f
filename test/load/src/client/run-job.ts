import { randomUUID } from 'node:crypto';
import { median, percentile } from '../statistics.js';
import { createConnection, encodeRequest } from './connection.js';
import { expectStatus } from './expect-status.js';
import type { Job, JobResult, PushJob, RepeatJob } from './jobs.js';
import { makeImage, pushImage } from './push-image.js';
import { crowdPull, crowdPush, uploadMany } from './run-crowd.js';
import { runSteadily } from './run-steady.js';

/** Runs one job in this process. The first answer that is not a success ends it with an error. */
export function runJob(job: Job): Promise<JobResult> {
  switch (job.kind) {
    case 'repeat':
      return repeatRequest(job);
    case 'push':
      return pushImages(job);
    case 'crowd-push':
      return timed(() => crowdPush(job));
    case 'crowd-pull':
      return timed(() => crowdPull(job));
    case 'upload':
      return timed(() => uploadMany(job));
    case 'steady':
      return timed(() => runSteadily(job));
  }
}

async function timed(work: () => Promise<readonly number[]>): Promise<JobResult> {
  const started = performance.now();
  return resultOf(await work(), started);
}

function resultOf(timesMs: readonly number[], started: number): JobResult {
  const elapsedMs = performance.now() - started;
  return { count: timesMs.length, elapsedMs, medianMs: median(timesMs), p99Ms: percentile(timesMs, 0.99) };
}

async function repeatRequest({ origin, request, connections, durationMs, atLeast }: RepeatJob): Promise<JobResult> {
  const encoded = encodeRequest(new URL(origin).host, request);
  const what = `${request.method} ${request.path}`;
  const started = performance.now();
  const timesMs: number[] = [];
  await eachConnection(origin, connections, async (connection) => {
    for (let sent = 0, sentAt = started; sent < atLeast || sentAt - started < durationMs; sent++) {
      const before = performance.now();
      expectStatus(await connection.exchangeEncoded(encoded, request.method !== 'HEAD'), [200], what);
      sentAt = performance.now();
      timesMs.push(sentAt - before);
    }
  });
  return resultOf(timesMs, started);
}

async function pushImages({ origin, targets, images, connections, layerBytes, style }: PushJob): Promise<JobResult> {
  const run = randomUUID().slice(0, 8);
  const timesMs: number[] = [];
  let taken = 0;
  const started = performance.now();
  await eachConnection(origin, connections, async (connection, index) => {
    const target = targets[index % targets.length];
    if (!target) throw new RangeError('a push job needs a target');
    while (taken < images) {
      const tag = `${run}-${taken++}`;
      const image = makeImage(1, layerBytes);
      const before = performance.now();
      await pushImage(connection, target, { image, tag, style });
      timesMs.push(performance.now() - before);
    }
  });
  return resultOf(timesMs, started);
}

type Work = (connection: ReturnType<typeof createConnection>, index: number) => Promise<void>;

async function eachConnection(origin: string, count: number, work: Work): Promise<void> {
  const connections = Array.from({ length: count }, () => createConnection(origin));
  try {
    await Promise.all(connections.map(work));
  } finally {
    for (const connection of connections) connection.close();
  }
}
