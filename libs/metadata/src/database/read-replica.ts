import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import { repeatRows } from './unit-of-work.js';

const SHORTEST_POLL_MS = 50;
const LONGEST_POLL_MS = 1_000;

/** Where the primary's log stood at a moment of this process. */
interface Sample {
  readonly atMs: number;
  readonly position: bigint;
}

/**
 * A streaming replica, and as of when it is known to lack nothing. The primary is asked where its log stands, and then the
 * replica how far it came: what was committed before the first question is in the replica once it came that far. No clocks are
 * compared, and a replica that lost its primary, or is none any more, falls behind by itself.
 */
export class ReadReplica {
  #freshAsOfMs = Number.NEGATIVE_INFINITY;
  #samples: Sample[] = [];
  /** When repositories were changed here, until the replica has it. */
  readonly #changedAtMs = new Map<string, number>();
  readonly #stopping = new AbortController();
  #polling: Promise<void> = Promise.resolve();

  constructor(
    private readonly primary: pg.Pool,
    readonly pool: pg.Pool,
    private readonly maxLagMs: number,
  ) {}

  /** True where everything is in it that was committed longer than the allowed lag ago. */
  isFresh(): boolean {
    return performance.now() - this.#freshAsOfMs <= this.maxLagMs;
  }

  /** True where, besides, it has every change of the repository that this process made. */
  isFreshFor(repositoryId: string): boolean {
    return this.isFresh() && (this.#changedAtMs.get(repositoryId) ?? Number.NEGATIVE_INFINITY) < this.#freshAsOfMs;
  }

  /** This process changed the repository, and the change is committed. */
  noteChange(repositoryId: string): void {
    this.#changedAtMs.set(repositoryId, performance.now());
  }

  /** Not to be asked again before it was heard of anew. */
  distrust(): void {
    this.#freshAsOfMs = Number.NEGATIVE_INFINITY;
  }

  /** Watches it until `stop`. `onChange` hears when it becomes fit for use, or no longer is, with the reason if there is one. */
  start(onChange: (isFresh: boolean, reason?: unknown) => void): void {
    this.#polling = this.#poll(onChange);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#polling;
  }

  async #poll(onChange: (isFresh: boolean, reason?: unknown) => void): Promise<void> {
    const { signal } = this.#stopping;
    const intervalMs = Math.min(Math.max(this.maxLagMs / 4, SHORTEST_POLL_MS), LONGEST_POLL_MS);
    let wasFresh = false;
    while (!signal.aborted) {
      const reason = await this.#look().catch((error: unknown) => error);
      if (this.isFresh() !== wasFresh) {
        wasFresh = !wasFresh;
        onChange(wasFresh, reason);
      }
      await delay(intervalMs, undefined, { signal, ref: false }).catch(() => undefined);
    }
  }

  async #look(): Promise<void> {
    const atMs = performance.now();
    const [primary] = await repeatRows<{ position: string }>(this.primary, {
      text: 'SELECT pg_current_wal_lsn()::text AS position',
    });
    this.#samples = this.#samples.filter((sample) => atMs - sample.atMs <= this.maxLagMs);
    if (primary) this.#samples.push({ atMs, position: parsePosition(primary.position) });
    const [replica] = await repeatRows<{ position: string | null }>(this.pool, {
      text: 'SELECT CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn()::text END AS position',
    });
    if (replica?.position == null) throw new Error('the read replica is not a replica');
    const replayed = parsePosition(replica.position);
    const reached = this.#samples.findLast((sample) => sample.position <= replayed);
    if (!reached) return;
    this.#freshAsOfMs = reached.atMs;
    for (const [repositoryId, changedAtMs] of this.#changedAtMs) {
      if (changedAtMs < reached.atMs) this.#changedAtMs.delete(repositoryId);
    }
  }
}

/** A position in the log as Postgres writes it: two hexadecimal halves. */
function parsePosition(text: string): bigint {
  const [high = '', low = ''] = text.split('/');
  return (BigInt(`0x${high}`) << 32n) + BigInt(`0x${low}`);
}
