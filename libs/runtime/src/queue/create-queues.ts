import { setTimeout as delay } from 'node:timers/promises';
import { Calm } from '../observe/calm.js';
import type { Logger } from '../observe/logger.js';
import type { RedisLink } from '../redis/redis-link.js';
import type { QueueEngine, QueueEngineParts } from './queue-engine.js';
import type { Schedule } from './schedule-keeper.js';
import { TaskRunner, type Task } from './task-runner.js';

export interface QueuesOptions {
  /** Name of the service; its processes share one queue, and all of them know all of its tasks. */
  readonly service: string;
  readonly logger: Logger;
  /** Queues live in this Redis when it is given, */
  readonly redis?: RedisLink | undefined;
  /** and else in this Postgres, after `migrateQueues`. */
  readonly connectionString: string;
}

export interface Queues {
  /**
   * Runs `task` about every `intervalMs`: once for the whole cluster, whichever process is free; while Redis is away, in each
   * process. A run that fails is logged and comes again with the next interval. Runs may overlap with one in another
   * process, not within this one.
   */
  everyInterval(name: string, intervalMs: number, task: Task): void;
  /** Runs the task in this process soon, besides its schedule. */
  wake(name: string): void;
  /** Takes nothing new, tells running tasks to stop, and waits for them. */
  close(): Promise<void>;
}

/** How long Redis must be away before processes look by themselves; it may only have been restarted. */
const PATIENCE_MS = 5_000;

/**
 * The queue of a service on BullMQ. Jobs say that it is time to look and carry nothing, so that losing the queue loses no
 * fact. BullMQ is loaded here: commands without a queue do without.
 */
export async function createQueues(options: QueuesOptions): Promise<Queues> {
  const { startOnPostgres, startOnRedis } = await import('./queue-engine.js');
  const { service, logger, redis } = options;
  const runner = new TaskRunner(logger);
  const calm = new Calm();
  const parts: QueueEngineParts = {
    service,
    runJob: ({ name }) => runner.run(name),
    report: (error) =>
      calm.tell((untold) => logger.warn({ queue: service, err: error, untold }, 'the queue reports an error')),
  };
  const engine =
    redis === undefined
      ? startOnPostgres(parts, options.connectionString)
      : new RedisOrTimers(() => startOnRedis(parts, redis), redis, runner);
  return {
    everyInterval(name, intervalMs, task) {
      runner.add(name, task);
      engine.keep({ name, intervalMs });
    },
    wake: (name) => runner.wake(name),
    async close() {
      await runner.stop();
      await engine.close();
    },
  };
}

/**
 * An engine on Redis for as long as Redis is ready, made anew whenever it comes back: what waited in the old one is
 * forgotten. In between each process goes by its own clock; tasks claim what they work at in Postgres, so that several
 * processes which look at once do nothing twice.
 */
class RedisOrTimers implements QueueEngine {
  readonly #schedules: Schedule[] = [];
  readonly #unwatch: () => void;
  #engine: QueueEngine | undefined;
  #timers: AbortController | undefined;
  /** Engines that are on their way out. */
  #leaving: Promise<void> = Promise.resolve();

  constructor(
    private readonly start: () => QueueEngine,
    private readonly link: RedisLink,
    private readonly runner: TaskRunner,
  ) {
    this.#unwatch = link.watch(() => this.#change());
    this.#change();
  }

  keep(schedule: Schedule): void {
    this.#schedules.push(schedule);
    this.#engine?.keep(schedule);
    if (this.#timers !== undefined) void this.#goByClock(schedule, this.#timers.signal);
  }

  async close(): Promise<void> {
    this.#unwatch();
    this.#leave();
    await this.#leaving;
  }

  #change(): void {
    this.#leave();
    if (this.link.isReady) {
      const engine = this.start();
      this.#engine = engine;
      for (const schedule of this.#schedules) engine.keep(schedule);
    } else {
      const timers = new AbortController();
      this.#timers = timers;
      for (const schedule of this.#schedules) void this.#goByClock(schedule, timers.signal);
    }
  }

  #leave(): void {
    this.#timers?.abort();
    this.#timers = undefined;
    const engine = this.#engine;
    this.#engine = undefined;
    if (engine !== undefined)
      this.#leaving = Promise.all([this.#leaving, engine.close(!this.link.isReady)]).then(() => {});
  }

  async #goByClock({ name, intervalMs }: Schedule, signal: AbortSignal): Promise<void> {
    const wait = (ms: number) => delay(ms, undefined, { signal, ref: false }).catch(() => undefined);
    await wait(Math.min(intervalMs, PATIENCE_MS));
    for (; !signal.aborted; await wait(intervalMs)) await this.runner.run(name);
  }
}
