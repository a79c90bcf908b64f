import { setTimeout as delay } from 'node:timers/promises';
import { Queue, Worker, createPostgresBackend } from 'bullmq';
import { connectForQueue } from '../redis/connect-redis.js';
import type { RedisLink } from '../redis/redis-link.js';
import { QUEUE_POOL_SIZE, QUEUE_SCHEMA } from './queue-place.js';
import { keepScheduled, type Schedule, type ScheduleBook } from './schedule-keeper.js';

export interface QueueEngineParts {
  readonly service: string;
  runJob(job: { readonly name: string }): Promise<void>;
  report(error: Error): void;
}

/** BullMQ on one store: fires schedules, each firing in one process of the service. */
export interface QueueEngine {
  keep(schedule: Schedule): void;
  /** Takes nothing new and lets go of the store, also of one that does not answer; of one that `isAway` at once. */
  close(isAway?: boolean): Promise<void>;
}

const CONCURRENCY = 4;
/** What a store that answers needs to let go; BullMQ would wait for any other for ever. */
const CLOSE_TIMEOUT_MS = 3_000;
/** How long BullMQ waits after a connection failed before it asks for jobs again. */
const RETRY_DELAY_MS = 2_000;

export function startOnPostgres(parts: QueueEngineParts, connectionString: string): QueueEngine {
  const { service, runJob } = parts;
  const application = `entrepot ${service} queue`;
  const connection = { connectionString, schema: QUEUE_SCHEMA, max: QUEUE_POOL_SIZE, application_name: application };
  const options = { connection, autorun: false, concurrency: CONCURRENCY, runRetryDelay: RETRY_DELAY_MS };
  const queue = new Queue(service, { connection }, createPostgresBackend);
  const worker = new Worker(service, runJob, options, createPostgresBackend);
  return startEngine({ queue, worker, disconnect: () => {} }, parts);
}

export function startOnRedis(parts: QueueEngineParts, link: RedisLink): QueueEngine {
  const connections = connectForQueue(link.endpoint);
  const place = { connection: connections.client, prefix: link.keyPrefix };
  const options = { ...place, autorun: false, concurrency: CONCURRENCY, runRetryDelay: RETRY_DELAY_MS };
  const queue = new Queue(parts.service, place);
  const worker = new Worker(parts.service, parts.runJob, options);
  return startEngine({ queue, worker, disconnect: connections.end }, parts);
}

interface ErrorSource {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

interface Connected {
  readonly queue: ScheduleBook & Pick<Queue, 'close'> & ErrorSource;
  readonly worker: Pick<Worker, 'run' | 'isRunning' | 'close'> & ErrorSource;
  disconnect(): void;
}

function startEngine({ queue, worker, disconnect }: Connected, { report }: QueueEngineParts): QueueEngine {
  const stopping = new AbortController();
  const tell = (error: Error): void => {
    if (!stopping.signal.aborted) report(error);
  };
  queue.on('error', tell);
  worker.on('error', tell);
  return {
    keep(schedule) {
      void keepScheduled(queue, schedule, { signal: stopping.signal, report: tell });
      if (!worker.isRunning()) worker.run().catch(tell);
    },
    async close(isAway = false) {
      stopping.abort();
      const closed = worker.close(isAway).then(() => queue.close());
      await Promise.race([closed.catch(() => {}), delay(CLOSE_TIMEOUT_MS, undefined, { ref: false })]);
      disconnect();
    },
  };
}
