import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { JobClaims, JobsConfig, ScheduledKind } from '@entrepot/jobs';
import type { Bells, Logger, Metrics, Queues } from '@entrepot/runtime';
import { JobRunner } from './job-runner.js';
import { watchJobs } from './watch-jobs.js';

export interface JobsRoom {
  readonly kinds: readonly ScheduledKind[];
  readonly claims: JobClaims;
  readonly config: JobsConfig;
  readonly queues: Queues;
  readonly bells: Bells;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A worker that runs. */
export interface StartedJobs {
  /** Gives back what it runs, once that has come to a safe point. */
  close(): Promise<void>;
}

/** How often the queue says that it is time to look, and the gauges are read. */
const RING_INTERVAL_MS = 10_000;

/** Writes down the schedules of the kinds and starts to run their jobs. Bells and the queue only make it look sooner. */
export async function startJobs({
  kinds,
  claims,
  config,
  queues,
  bells,
  logger,
  metrics,
}: JobsRoom): Promise<StartedJobs> {
  const names = kinds.map(({ kind }) => kind.name);
  await claims.declare(
    kinds.map(({ kind, schedule }) => ({
      kind: kind.name,
      schedule,
      retries: kind.mayRunTwice ? config.retries : 0,
    })),
  );
  const meters = watchJobs(metrics, claims);
  const runner = new JobRunner({
    worker: {
      id: randomUUID(),
      host: hostname(),
      processId: process.pid,
      kinds: names,
      capacity: Object.fromEntries(names.map((name) => [name, config.capacity[name] ?? 1])),
    },
    kinds: kinds.map(({ kind }) => kind),
    claims,
    config,
    logger,
    onEnd: meters.onEnd,
  });
  const letBe = [
    bells.onRing('jobs.changed', () => runner.wake()),
    bells.onRing('storage.doomed', () => runner.ask('review')),
  ];
  queues.everyInterval('jobs.look', RING_INTERVAL_MS, async () => runner.wake());
  const counting = setInterval(() => void meters.refresh().catch(() => {}), RING_INTERVAL_MS).unref();
  runner.start();
  return {
    async close() {
      clearInterval(counting);
      for (const stop of letBe) stop();
      await runner.stop();
    },
  };
}
