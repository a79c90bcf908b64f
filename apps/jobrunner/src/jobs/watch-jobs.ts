import type { JobClaims, JobCounts } from '@entrepot/jobs';
import type { Metrics } from '@entrepot/runtime';
import type { RunOutcome } from './running-job.js';

/** Jobs as `/metrics` shows them. */
export interface JobMeters {
  onEnd(kind: string, outcome: RunOutcome): void;
  /** Reads what the gauges show; they show what was read last. */
  refresh(): Promise<void>;
}

const NOTHING: JobCounts = { jobs: [], oldestWaitingMs: 0, overdue: 0 };

/** The gauges are of the whole installation, and the same in each of its jobrunners; the counter is of this process. */
export function watchJobs(metrics: Metrics, claims: JobClaims): JobMeters {
  let counts = NOTHING;
  const ended = metrics.counter('jobs_ended_total', 'Runs of jobs that ended here.', ['kind', 'outcome']);
  metrics.gauges('jobs', 'Jobs of the installation that wait or run.', {
    labels: ['kind', 'status'],
    read: () => counts.jobs.map(({ kind, status, count }) => ({ labels: { kind, status }, value: count })),
  });
  metrics.gauge(
    'jobs_oldest_waiting_seconds',
    'For how long the job that is due first has been waiting.',
    () => counts.oldestWaitingMs / 1_000,
  );
  metrics.gauge('jobs_overdue', 'Jobs that should have been taken a minute ago or earlier.', () => counts.overdue);
  return {
    onEnd: (kind, outcome) => ended.inc({ kind, outcome }),
    async refresh() {
      counts = await claims.count();
    },
  };
}
