// A worker with kinds whose steps can be counted, as a process that a test kills: node run-worker.ts DATABASE_URL
import { setTimeout as delay } from 'node:timers/promises';
import { startJobs } from '@entrepot/jobrunner';
import type { JobKind } from '@entrepot/jobs';
import { createPool, PostgresJobClaims } from '@entrepot/metadata';
import { createBells, createLogger, createMetrics } from '@entrepot/runtime';

const STEPS = 40;
const STEP_MS = 250;

const url = process.argv[2] ?? '';
const pool = createPool({ url, role: 'owner', poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 });

/** Each step is noted before it is done, so that none is done by two workers. */
function steps(name: string, mayRunTwice: boolean): JobKind {
  return {
    name,
    mayRunTwice,
    async run({ jobId, signal, state, note, log }) {
      let step = typeof state === 'number' ? state : 0;
      log(`from step ${step}`);
      while (step < STEPS && !signal.aborted) {
        await delay(STEP_MS);
        step += 1;
        await note({ done: step, total: STEPS, unit: 'steps', state: step });
        await pool.query('INSERT INTO step VALUES ($1, $2, $3)', [jobId, step, process.pid]);
      }
      return { steps: step };
    },
  };
}

const jobs = await startJobs({
  kinds: [steps('steps', true), steps('once', false)].map((kind) => ({ kind, schedule: 'off' })),
  claims: new PostgresJobClaims(pool),
  config: { concurrency: 2, capacity: {}, retries: 0, retryDelay: 100, keep: 100, keepAge: 3_600_000, logLines: 100 },
  queues: { everyInterval: () => {}, wake: () => {}, close: async () => {} },
  bells: createBells(undefined),
  logger: createLogger({ level: 'info', format: 'json' }, { service: 'worker' }),
  metrics: createMetrics(),
});
process.once('SIGTERM', () => void jobs.close().then(() => pool.end()));
