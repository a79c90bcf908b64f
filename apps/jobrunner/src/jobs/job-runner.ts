import { setTimeout as delay } from 'node:timers/promises';
import {
  HEARTBEAT_INTERVAL_MS,
  type Capacity,
  type JobClaims,
  type JobKind,
  type JobsConfig,
  type NewWorker,
} from '@entrepot/jobs';
import type { Logger } from '@entrepot/runtime';
import { RunningJob, type RunOutcome } from './running-job.js';

export interface RunnerRoom {
  readonly worker: NewWorker;
  readonly kinds: readonly JobKind[];
  readonly claims: JobClaims;
  readonly config: JobsConfig;
  readonly logger: Logger;
  /** Told of each run that ended here. */
  onEnd(kind: string, outcome: RunOutcome): void;
}

/** Longest time between two looks, whoever may ring. */
const LOOK_INTERVAL_MS = 1_000;
/** Least time between two looks, however often somebody rings. */
const LOOK_GAP_MS = 50;
/** Bells may ring hundreds of times a second, and each job that did something leaves a record. */
const ASK_INTERVAL_MS = 1_000;
const RECLAIM_INTERVAL_MS = 2_000;
const TRIM_INTERVAL_MS = 60_000;

/**
 * A worker: looks at the tables at least once a second, takes what is due and fits, says that it lives, fires schedules, and takes
 * jobs from workers that died. Everything that it decides by is in the database, its time included.
 */
export class JobRunner {
  readonly #kinds: ReadonlyMap<string, JobKind>;
  readonly #running = new Map<string, { readonly job: RunningJob; readonly ended: Promise<void> }>();
  #asked = new Set<string>();
  readonly #due = new Map<string, number>();
  #capacity: Capacity;
  #isStopping = false;
  #isFailing = false;
  /** Since when looks have been well, without a gap: others are judged only by who was there all the time. */
  #steadySinceMs = performance.now();
  #lastLookMs = performance.now();
  #wake = Promise.withResolvers<void>();
  #loop: Promise<void> = Promise.resolve();

  constructor(private readonly room: RunnerRoom) {
    this.#kinds = new Map(room.kinds.map((kind) => [kind.name, kind]));
    this.#capacity = room.worker.capacity;
  }

  get runningJobs(): number {
    return this.#running.size;
  }

  start(): void {
    this.#loop = this.#goOn();
  }

  /** Looks soon. */
  wake(): void {
    this.#wake.resolve();
  }

  /** Adds a job of the kind soon, as its schedule would. */
  ask(kind: string): void {
    this.#asked.add(kind);
    this.wake();
  }

  /** Takes nothing more, lets running jobs come to a safe point, and gives them back. */
  async stop(): Promise<void> {
    const { claims, worker, logger } = this.room;
    this.#isStopping = true;
    this.wake();
    await this.#loop;
    const isStopped = claims.stopping(worker.id);
    for (const { job } of this.#running.values()) job.stop('shutdown');
    await Promise.all([...this.#running.values()].map(({ ended }) => ended));
    await isStopped
      .then(() => claims.leave(worker.id))
      .catch((error: unknown) => logger.warn({ err: error }, 'a worker could not take its leave'));
  }

  async #goOn(): Promise<void> {
    while (!this.#isStopping) {
      this.#wake = Promise.withResolvers();
      const waitMs = await this.#lookOnce();
      await delay(LOOK_GAP_MS);
      await Promise.race([this.#wake.promise, delay(Math.max(waitMs - LOOK_GAP_MS, 0), undefined, { ref: false })]);
    }
  }

  /** Resolves with the time until something is due. One failure in a row is told. */
  async #lookOnce(): Promise<number> {
    const { logger } = this.room;
    try {
      const waitMs = await this.#look();
      if (this.#isFailing) logger.info('jobs can be looked at again');
      this.#isFailing = false;
      return Math.min(waitMs, LOOK_INTERVAL_MS);
    } catch (error) {
      if (!this.#isFailing) logger.error({ err: error }, 'jobs cannot be looked at; it is tried again each second');
      this.#isFailing = true;
      this.#steadySinceMs = performance.now();
      return LOOK_INTERVAL_MS;
    }
  }

  async #look(): Promise<number> {
    const { claims, worker, config } = this.room;
    this.#noticeGap();
    if (this.#isTime('greet', HEARTBEAT_INTERVAL_MS)) this.#capacity = await claims.greet(worker);
    await this.#keepClaims();
    if (this.#isSteady() && this.#isTime('reclaim', RECLAIM_INTERVAL_MS)) await this.#reclaim();
    if (this.#asked.size > 0 && this.#isTime('ask', ASK_INTERVAL_MS)) await this.#addAsked();
    const waitMs = await claims.fire(worker.kinds);
    await this.#takeWhatFits();
    if (this.#isTime('trim', TRIM_INTERVAL_MS)) await claims.trim({ count: config.keep, ageMs: config.keepAge });
    return waitMs ?? LOOK_INTERVAL_MS;
  }

  async #addAsked(): Promise<void> {
    const asked = this.#asked;
    this.#asked = new Set();
    for (const kind of asked) await this.room.claims.fireNow(kind);
  }

  /** A process that was held up, as by SIGSTOP or a suspended machine, may be the one that is behind. */
  #noticeGap(): void {
    const nowMs = performance.now();
    if (nowMs - this.#lastLookMs > HEARTBEAT_INTERVAL_MS) this.#steadySinceMs = nowMs;
    this.#lastLookMs = nowMs;
  }

  #isSteady(): boolean {
    return performance.now() - this.#steadySinceMs >= HEARTBEAT_INTERVAL_MS / 2;
  }

  #isTime(what: string, intervalMs: number): boolean {
    const nowMs = performance.now();
    if (nowMs < (this.#due.get(what) ?? 0)) return false;
    this.#due.set(what, nowMs + intervalMs);
    return true;
  }

  /** Reads who has to stop; each ten seconds says that the others are still worked at. */
  async #keepClaims(): Promise<void> {
    const jobs = [...this.#running.values()].map(({ job }) => job);
    if (jobs.length === 0) return;
    const { claims, logger } = this.room;
    const held = jobs.map(({ claim }) => claim);
    const standing = this.#isTime('keep', HEARTBEAT_INTERVAL_MS) ? await claims.keep(held) : await claims.check(held);
    const byId = new Map(standing.map((each) => [each.id, each]));
    for (const job of jobs) {
      const kept = byId.get(job.claim.id);
      if (kept !== undefined) job.notes.confirm();
      // One that has ended meanwhile is not found either, and does not mind.
      else job.stop('lost');
      if (kept?.cancelRequestedBy !== undefined) job.stop('canceled', kept.cancelRequestedBy);
    }
    // What cannot be saved is tried again with the next look, and keeps nobody from taking jobs.
    for (const saved of await Promise.allSettled(jobs.map((job) => job.notes.save()))) {
      if (saved.status === 'rejected') logger.warn({ err: saved.reason }, 'what a job said could not be saved yet');
    }
  }

  async #reclaim(): Promise<void> {
    const { claims, worker, kinds, logger } = this.room;
    const onceKinds = kinds.filter(({ mayRunTwice }) => !mayRunTwice).map(({ name }) => name);
    for (const lost of await claims.reclaim(worker.kinds, onceKinds)) {
      logger.warn(
        { job: lost.id, kind: lost.kind, worker: lost.workerId, status: lost.status },
        'a worker died over a job',
      );
    }
  }

  async #takeWhatFits(): Promise<void> {
    const { claims, worker, config, logger } = this.room;
    while (!this.#isStopping && this.#running.size < config.concurrency) {
      const claim = await claims.claim(worker.id, worker.kinds, this.#freeCapacity());
      if (claim === undefined) return;
      const kind = this.#kinds.get(claim.job.kind);
      if (kind === undefined)
        throw new Error(`a job of the kind ${claim.job.kind} was taken, which this worker does not know`);
      const job = new RunningJob(claim, kind, { claims, config, logger });
      const ended = job.run().then((outcome) => this.#onEnd(claim.id, kind.name, outcome));
      this.#running.set(claim.id, { job, ended });
    }
  }

  #onEnd(id: string, kind: string, outcome: RunOutcome): void {
    this.#running.delete(id);
    this.room.onEnd(kind, outcome);
    this.wake();
  }

  #freeCapacity(): Capacity {
    const free: Record<string, number> = { ...this.#capacity };
    for (const { job } of this.#running.values()) {
      for (const [unit, amount] of Object.entries(job.claim.job.capacity)) free[unit] = (free[unit] ?? 0) - amount;
    }
    return free;
  }
}
