import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Collector } from './gc-lab.js';

const POLL_MS = 50;

/** What a run of the job said of itself, and how long it took by the clock of the database. */
export interface ReviewRun {
  readonly result: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
}

/** Lets the product collect until nothing is due. */
export async function runReview({ entrepot }: Collector, client: Client): Promise<ReviewRun> {
  const since = await now(client);
  await entrepot.run(['job', 'run', 'review', '--wait', '--json']);
  return untilDone(client, since);
}

/** Lets the product begin to collect; resolves with how its end is waited for. */
export async function beginReview({ entrepot }: Collector, client: Client): Promise<() => Promise<ReviewRun>> {
  const since = await now(client);
  await entrepot.run(['job', 'run', 'review']);
  return () => untilDone(client, since);
}

async function now(client: Client): Promise<Date> {
  const { rows } = await client.query<{ now: Date }>('SELECT clock_timestamp() AS now');
  return rows[0]?.now ?? new Date();
}

async function untilDone(client: Client, since: Date): Promise<ReviewRun> {
  for (;;) {
    const { rows } = await client.query<{ status: string; result: Record<string, number>; ms: number; error: string }>(
      `SELECT status, result, error, extract(epoch FROM finished_at - started_at)::float8 * 1000 AS ms FROM job
       WHERE kind = 'review' AND created_at >= $1 AND finished_at IS NOT NULL ORDER BY created_at LIMIT 1`,
      [since],
    );
    const [job] = rows;
    if (job?.status === 'done') return { result: job.result, elapsedMs: job.ms };
    if (job) throw new Error(`the review ended ${job.status}: ${job.error}`);
    await delay(POLL_MS);
  }
}
