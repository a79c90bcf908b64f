import type { JobProgress, JobResult } from '../kinds/job-kind.js';

/** The published enumeration; that a cancel was asked for, or a worker died, is no status. */
export const JOB_STATUSES = ['waiting', 'running', 'done', 'canceled', 'errored'] as const;

export type JobStatus = (typeof JOB_STATUSES)[number];

/** Words of Docker Trusted Registry's guide, which told more than its published enumeration. */
const GUIDE_WORDS: Readonly<Record<string, JobStatus>> = {
  error: 'errored',
  cancel: 'canceled',
  cancel_request: 'running',
  worker_dead: 'waiting',
  worker_shutdown: 'waiting',
  worker_resurrection: 'canceled',
};

/** Reads a status, also by the words of older clients; undefined for anything else. */
export function parseJobStatus(text: string): JobStatus | undefined {
  return JOB_STATUSES.find((status) => status === text) ?? GUIDE_WORDS[text];
}

/** How much of what a job needs, or a worker has: `{ scrub: 1 }`. */
export type Capacity = Readonly<Record<string, number>>;

/** One job, as it is recorded. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly status: JobStatus;
  /** Who asked for it: `cli:root`, `schedule`, `retry`. */
  readonly requestedBy: string;
  /** Started by a schedule: without a record where it does nothing. */
  readonly isScheduled: boolean;
  /** The job that failed, where this one tries it again. */
  readonly retryFromId: string | undefined;
  readonly retriesLeft: number;
  readonly retriesTotal: number;
  readonly capacity: Capacity;
  readonly parameters: Readonly<Record<string, string>>;
  /** Longest run, from its first start on. */
  readonly deadlineMs: number | undefined;
  /** How long a run that has to end may take to its safe point. */
  readonly stopTimeoutMs: number;
  readonly createdAt: Date;
  readonly scheduledAt: Date;
  readonly startedAt: Date | undefined;
  readonly lastUpdated: Date;
  readonly finishedAt: Date | undefined;
  /** The worker that has it, or had it last. */
  readonly workerId: string | undefined;
  readonly cancelRequestedAt: Date | undefined;
  readonly progress: Omit<JobProgress, 'state'> | undefined;
  readonly result: JobResult | undefined;
  /** Why it ended before it was done. */
  readonly error: string | undefined;
  /** Errored, and nothing tries it again. */
  readonly isDead: boolean;
}

/** A line of a job's log; numbers begin at 1. */
export interface JobLine {
  readonly lineNum: number;
  readonly at: Date;
  readonly data: string;
}
