import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker, createPostgresBackend } from 'bullmq';
import { Redis } from 'ioredis';
import type { Logger } from '../observe/logger.js';
import { QUEUE_SCHEMA } from './migrate-queues.js';

export interface QueuesOptions {
  /** Name of the service; its processes share one queue, and all of them know all of its tasks. */
  readonly service: string;
  readonly logger: Logger;
  /** Queues live in this Redis when it is given, */
  readonly redisUrl?: string | undefined;
  /** and else in this Postgres, after `migrateQueues`. */
  readonly connectionString: string;
}

/** Does what is due and returns; what is due it reads from Postgres. Stops early when the signal aborts. */
export type Task = (signal: AbortSignal) => Promise<unknown>;

export interface Queues {
  /**
   * Runs `task` about every `intervalMs`: once for the whole cluster, whichever process is free. A run that fails is logged and
   * comes again with the next interval. A run that takes longer than the interval may overlap with the next one in another
   * process, not within this one.
   */
  everyInterval(name: string, intervalMs: number, task: Task): void;
  /** Takes nothing new, tells running tasks to stop, and waits for them. */
  close(): Promise<void>;
}

const CONCURRENCY = 4;
const POOL_SIZE = 2;
const MIN_CHECK_INTERVAL_MS = 1000;
const FIRST_RETRY_MS = 250;
const MAX_RETRY_MS = 30_000;
/** How far a firing may be behind before its schedule counts as lost. */
const OVERDUE_MS = 10_000;

/** The queue of a service on BullMQ. Jobs say that it is time to look and carry nothing, so that losing the queue loses no fact. */
export function createQueues(options: QueuesOptions): Queues {
  const { service, logger } = options;
  const tasks = new Map<string, Task>();
  const stopping = new AbortController();
  const runJob = createRunner(tasks, stopping.signal, logger);
  const { queue, worker, disconnect } =
    options.redisUrl === undefined ? onPostgres(options, runJob) : onRedis(service, options.redisUrl, runJob);
  const report = (error: Error): void => logger.warn({ queue: service, err: error }, 'the queue reports an error');
  queue.on('error', report);
  worker.on('error', report);
  const keepers: Promise<void>[] = [];
  return {
    everyInterval(name, intervalMs, task) {
      tasks.set(name, task);
      keepers.push(keepScheduled({ queue, name, intervalMs, signal: stopping.signal, report }));
      if (!worker.isRunning()) worker.run().catch(report);
    },
    async close() {
      stopping.abort();
      await Promise.all(keepers);
      await worker.close();
      await queue.close();
      await disconnect();
    },
  };
}

type RunJob = (job: { readonly name: string }) => Promise<void>;

function createRunner(tasks: ReadonlyMap<string, Task>, signal: AbortSignal, logger: Logger): RunJob {
  const running = new Set<string>();
  return async ({ name }) => {
    const task = tasks.get(name);
    // Unknown: a newer version scheduled it. Running: it takes longer than its interval.
    if (task === undefined || running.has(name)) return;
    running.add(name);
    try {
      await task(signal);
    } catch (error) {
      logger.error({ task: name, err: error }, 'a scheduled task failed; it runs again with the next interval');
    } finally {
      running.delete(name);
    }
  };
}

interface Schedule {
  readonly queue: Connected['queue'];
  readonly name: string;
  readonly intervalMs: number;
  readonly signal: AbortSignal;
  report(error: Error): void;
}

/**
 * Sees to it that the schedule exists, now and from time to time. Each firing schedules the next, so one that is lost (a killed
 * process, a deadlock in the queue's tables) would end them all; and schedules written at once by several processes deadlock, so
 * that one which is in order is left alone.
 */
async function keepScheduled(schedule: Schedule): Promise<void> {
  const { intervalMs, signal, report } = schedule;
  let failures = 0;
  while (!signal.aborted) {
    try {
      await ensureScheduled(schedule);
      failures = 0;
    } catch (error) {
      failures += 1;
      report(error instanceof Error ? error : new Error(String(error)));
    }
    const retryMs = Math.min(FIRST_RETRY_MS * 2 ** failures, MAX_RETRY_MS) * Math.random();
    const waitMs = failures === 0 ? Math.max(intervalMs, MIN_CHECK_INTERVAL_MS) : retryMs;
    await delay(waitMs, undefined, { signal, ref: false }).catch(() => undefined);
  }
}

async function ensureScheduled({ queue, name, intervalMs }: Schedule): Promise<void> {
  const present = await queue.getJobScheduler(name);
  const isInOrder = present?.every === intervalMs && (present.next ?? 0) > Date.now() - OVERDUE_MS;
  if (isInOrder) return;
  const options = { removeOnComplete: true, removeOnFail: true };
  await queue.upsertJobScheduler(name, { every: intervalMs }, { name, opts: options });
}

interface ErrorSource {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface Connected {
  readonly queue: Pick<Queue, 'getJobScheduler' | 'upsertJobScheduler' | 'close'> & ErrorSource;
  readonly worker: Pick<Worker, 'run' | 'isRunning' | 'close'> & ErrorSource;
  disconnect(): Promise<unknown>;
}

function onPostgres({ service, connectionString }: QueuesOptions, runJob: RunJob): Connected {
  const application = `entrepot ${service} queue`;
  const connection = { connectionString, schema: QUEUE_SCHEMA, max: POOL_SIZE, application_name: application };
  const workerOptions = { connection, autorun: false, concurrency: CONCURRENCY };
  return {
    queue: new Queue(service, { connection }, createPostgresBackend),
    worker: new Worker(service, runJob, workerOptions, createPostgresBackend),
    disconnect: () => Promise.resolve(),
  };
}

function onRedis(service: string, url: string, runJob: RunJob): Connected {
  // BullMQ waits in blocking commands, and asks that they are never given up.
  const connection = new Redis(url, { maxRetriesPerRequest: null });
  return {
    queue: new Queue(service, { connection }),
    worker: new Worker(service, runJob, { connection, autorun: false, concurrency: CONCURRENCY }),
    disconnect: () => connection.quit(),
  };
}
