import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../observe/logger.js';

/** Does what is due and returns; what is due it reads from Postgres. Stops early when the signal aborts. */
export type Task = (signal: AbortSignal) => Promise<unknown>;

/** Least time between two runs that were asked for by waking. */
const WAKE_GAP_MS = 500;

/** Runs the tasks of this process, none of them twice at once; a run that fails is logged. */
export class TaskRunner {
  readonly #tasks = new Map<string, Task>();
  readonly #running = new Map<string, Promise<void>>();
  /** Tasks that are to run once more, since what they look at changed while they ran. */
  readonly #woken = new Set<string>();
  readonly #stopping = new AbortController();

  constructor(private readonly logger: Logger) {}

  get signal(): AbortSignal {
    return this.#stopping.signal;
  }

  add(name: string, task: Task): void {
    this.#tasks.set(name, task);
  }

  /** Resolves when the task ran; at once where it is unknown (a newer version scheduled it), runs already, or after `stop`. */
  async run(name: string): Promise<void> {
    const task = this.#tasks.get(name);
    if (task === undefined || this.#running.has(name) || this.signal.aborted) return;
    const run = this.#runUntilNobodyWakes(name, task);
    this.#running.set(name, run);
    await run;
  }

  /** Runs the task soon; where it runs just now, once more after that. */
  wake(name: string): void {
    if (this.#running.has(name)) this.#woken.add(name);
    else void this.run(name);
  }

  /** Starts nothing more, tells running tasks to stop, and waits for them. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#running.values());
  }

  async #runUntilNobodyWakes(name: string, task: Task): Promise<void> {
    await this.#attempt(name, task);
    while (this.#woken.has(name) && !this.signal.aborted) {
      await delay(WAKE_GAP_MS, undefined, { signal: this.signal, ref: false }).catch(() => undefined);
      // Before it looks, so that no later wish is lost.
      this.#woken.delete(name);
      await this.#attempt(name, task);
    }
    this.#running.delete(name);
  }

  async #attempt(name: string, task: Task): Promise<void> {
    if (this.signal.aborted) return;
    try {
      await task(this.signal);
    } catch (error) {
      if (this.signal.aborted) return;
      this.logger.error({ task: name, err: error }, 'a scheduled task failed; it runs again with the next interval');
    }
  }
}
