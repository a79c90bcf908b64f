import cluster from 'node:cluster';
import { setTimeout as delay } from 'node:timers/promises';
import type { Health } from '../http/health.js';
import type { Logger } from '../observe/logger.js';
import { joinSnapshots, lastingPart, renderSnapshot } from '../observe/metrics-snapshot.js';
import type { MetricsSnapshot } from '../observe/metrics-snapshot.js';
import type { Metrics } from '../observe/metrics.js';
import { joinHealth } from './fleet-health.js';
import { STATE_INTERVAL_MS } from './fleet-messages.js';
import { forkWorker } from './fleet-worker.js';
import type { FleetWorker, WorkerEnding } from './fleet-worker.js';

/** A worker that ended younger than this, or never began, counts towards the delay before the next one. */
const STABLE_MS = 10_000;
const FIRST_DELAY_MS = 500;
const MAX_DELAY_MS = 30_000;
/** So many that could not start in a row, with none left that works, end the service. */
const MAX_REFUSALS = 5;
/** A worker whose event loop stood still for so long is ended. */
const STUCK_MS = 30_000;
/** A worker that takes longer to accept connections is ended. */
const START_TIMEOUT_MS = 120_000;
const READY_TIMEOUT_MS = 60_000;

export interface FleetOptions {
  /** Number of workers. */
  readonly size: number;
  readonly logger: Logger;
  /** The primary's own. */
  readonly metrics: Metrics;
  /** What a worker may take to end in good order. */
  readonly stopTimeoutMs: number;
}

/** The workers of a service, which accept connections at one port. Whoever ends on its own is replaced. */
export class Fleet {
  readonly #options: FleetOptions;
  readonly #workers = new Set<FleetWorker>();
  readonly #replacements = new Set<NodeJS.Timeout>();
  readonly #failed = Promise.withResolvers<never>();
  readonly #watch: NodeJS.Timeout;
  readonly #failures: { inc(): void };
  #phase: 'starting' | 'running' | 'stopping' = 'starting';
  /** Counters of workers that are no more. */
  #lasting: MetricsSnapshot = [];
  #earlyEndings = 0;
  #restarting: Promise<void> | undefined;

  constructor(options: FleetOptions) {
    this.#options = options;
    // All workers accept from one queue in the kernel, which outlives each of them: see docs/adr/0010-workers.md.
    cluster.schedulingPolicy = cluster.SCHED_NONE;
    cluster.setupPrimary({ serialization: 'advanced' });
    this.#failed.promise.catch(() => undefined);
    this.#watch = setInterval(() => this.#lookAfter(), STATE_INTERVAL_MS);
    options.metrics.gauge('workers', 'Worker processes.', () => this.#workers.size);
    options.metrics.gauge('workers_ready', 'Worker processes that are ready.', () => this.#countReady());
    this.#failures = options.metrics.counter('worker_failures_total', 'Workers that ended on their own.', []);
  }

  /** Rejects with `WorkerRefused` once no worker is left and none can be started. */
  get failed(): Promise<never> {
    return this.#failed.promise;
  }

  /** Starts all workers, the first one alone; resolves with the origin of the main port. Rejects with `WorkerRefused`. */
  async start(): Promise<string> {
    const origin = await this.#fork().listening;
    const others = Array.from({ length: this.#options.size - 1 }, () => this.#fork());
    await Promise.all(others.map(({ listening }) => listening));
    if (this.#phase === 'starting') this.#phase = 'running';
    return origin;
  }

  /** Replaces all workers, one after another: a new one is ready before a former one leaves. Nothing while they start or stop. */
  restart(): Promise<void> {
    this.#restarting ??= this.#replaceAll().finally(() => {
      this.#restarting = undefined;
    });
    return this.#restarting;
  }

  /** Sends a signal to the workers that accept connections. */
  signal(signal: NodeJS.Signals): void {
    for (const worker of this.#workers) if (worker.hasListened) worker.kill(signal);
  }

  /** Lets all workers drain, and ends those that take too long. */
  async stop(): Promise<void> {
    this.#phase = 'stopping';
    clearInterval(this.#watch);
    for (const timer of this.#replacements) clearTimeout(timer);
    const ending = Promise.all([...this.#workers].map(({ ended }) => ended));
    for (const worker of this.#workers) worker.tell({ kind: 'stop' });
    const late = setTimeout(() => this.kill(), this.#options.stopTimeoutMs);
    await ending;
    clearTimeout(late);
  }

  /** Ends all workers at once. */
  kill(): void {
    this.#phase = 'stopping';
    for (const worker of this.#workers) worker.kill('SIGKILL');
  }

  /** The measurements of all processes as one. What a worker counted until it was last asked survives it. */
  async renderMetrics(): Promise<string> {
    const own = await this.#options.metrics.snapshot();
    await Promise.all([...this.#workers].map((worker) => worker.ask('metrics')));
    const known = [...this.#workers].map(({ metrics }) => metrics);
    return renderSnapshot(joinSnapshots([own, this.#lasting, ...known]));
  }

  async checkHealth(): Promise<Health> {
    const answers = await Promise.all([...this.#workers].map((worker) => worker.ask('health')));
    const ready = this.#countReady();
    const ok = ready >= this.#enough;
    const error = ok ? {} : { error: `${ready} of ${this.#options.size} workers are ready` };
    const own = { name: 'workers', ok, latencyMs: 0, ...error };
    return joinHealth(
      answers.filter((answer) => answer !== undefined),
      own,
    );
  }

  /** With half of the workers a service is still worth sending requests to. */
  get #enough(): number {
    return Math.ceil(this.#options.size / 2);
  }

  #countReady(): number {
    return [...this.#workers].filter(({ isReady }) => isReady).length;
  }

  #fork(isWanted = true): FleetWorker {
    const worker = forkWorker(() => this.#tellReadiness());
    worker.isWanted = isWanted;
    this.#workers.add(worker);
    void worker.ended.then((ending) => this.#onEnded(worker, ending));
    this.#options.logger.debug({ worker: worker.id, pid: worker.pid }, 'a worker was started');
    return worker;
  }

  #tellReadiness(): void {
    const isReady = this.#countReady() >= this.#enough;
    for (const worker of this.#workers) worker.tell({ kind: 'fleet', isReady });
  }

  #lookAfter(): void {
    this.#tellReadiness();
    for (const worker of this.#workers) {
      const isStuck = worker.hasListened ? worker.silentMs > STUCK_MS : worker.lifeMs > START_TIMEOUT_MS;
      if (!isStuck) continue;
      this.#options.logger.error({ worker: worker.id, pid: worker.pid }, 'a worker hangs, and is ended');
      worker.kill('SIGKILL');
    }
  }

  #onEnded(worker: FleetWorker, { code, signal, refusal }: WorkerEnding): void {
    this.#workers.delete(worker);
    this.#lasting = joinSnapshots([this.#lasting, lastingPart(worker.metrics)]);
    this.#tellReadiness();
    if (this.#phase === 'stopping' || !worker.isWanted) return;
    // Whoever started it hears of the refusal.
    if (this.#phase === 'starting' && refusal !== undefined) return;
    this.#failures.inc();
    const isEarly = refusal !== undefined || worker.lifeMs < STABLE_MS;
    this.#earlyEndings = isEarly ? this.#earlyEndings + 1 : 0;
    const reason = refusal === undefined ? {} : { reason: refusal.message };
    const fields = { worker: worker.id, pid: worker.pid, code, signal, ...reason };
    if (refusal !== undefined && this.#earlyEndings >= MAX_REFUSALS && !this.#isServing()) {
      this.#failed.reject(refusal);
      return;
    }
    const delayMs = delayAfter(this.#earlyEndings);
    this.#options.logger.error({ ...fields, delayMs }, 'a worker ended; another one takes its place');
    this.#replaceAfter(delayMs);
  }

  #isStopping(): boolean {
    return this.#phase === 'stopping';
  }

  #isServing(): boolean {
    return [...this.#workers].some(({ hasListened }) => hasListened);
  }

  #replaceAfter(delayMs: number): void {
    const timer = setTimeout(() => {
      this.#replacements.delete(timer);
      this.#fork();
    }, delayMs);
    this.#replacements.add(timer);
  }

  async #replaceAll(): Promise<void> {
    const { logger } = this.#options;
    if (this.#phase !== 'running') return;
    logger.info('replacing the workers one by one');
    const formers = [...this.#workers];
    for (const former of formers) {
      if (this.#isStopping()) return;
      // One that ended meanwhile was replaced by then.
      if (this.#workers.has(former) && !(await this.#replaceOne(former))) {
        logger.error('a new worker did not become ready; the former ones go on');
        return;
      }
    }
    logger.info('all workers were replaced');
  }

  /** False where the new worker does not become ready; the former one is then left as it is. */
  async #replaceOne(former: FleetWorker): Promise<boolean> {
    const next = this.#fork(false);
    const timeout = new AbortController();
    const outcome = await Promise.race([
      next.ready.then(() => undefined),
      next.ended.then(({ refusal }) => refusal?.message ?? 'it ended'),
      delay(READY_TIMEOUT_MS, `not ready within ${READY_TIMEOUT_MS} ms`, { signal: timeout.signal }),
    ]);
    timeout.abort();
    if (outcome !== undefined) {
      this.#options.logger.error({ worker: next.id, reason: outcome }, 'a new worker cannot serve');
      next.kill('SIGKILL');
      return false;
    }
    // A former worker that died meanwhile has its replacement, and the new one is one too many.
    const dismissed = this.#workers.has(former) ? former : next;
    next.isWanted = true;
    dismissed.isWanted = false;
    await this.#dismiss(dismissed);
    return true;
  }

  async #dismiss(worker: FleetWorker): Promise<void> {
    worker.tell({ kind: 'leave' });
    const late = setTimeout(() => worker.kill('SIGKILL'), this.#options.stopTimeoutMs);
    await worker.ended;
    clearTimeout(late);
  }
}

/** None after the first early end, then longer with each further one. */
function delayAfter(earlyEndings: number): number {
  return earlyEndings < 2 ? 0 : Math.min(FIRST_DELAY_MS * 2 ** (earlyEndings - 2), MAX_DELAY_MS);
}
