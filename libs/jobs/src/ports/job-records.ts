import type { Job, JobLine, JobStatus } from '../records/job.js';
import type { WorkerRecord } from '../records/worker.js';
import type { ScheduleRecord } from '../schedule/schedule-record.js';

/** What is asked for. */
export interface NewJob {
  readonly kind: string;
  readonly requestedBy: string;
  readonly parameters?: Readonly<Record<string, string>>;
  readonly retries?: number;
  /** Not before; default now. */
  readonly scheduledAt?: Date;
  readonly deadlineMs?: number;
  readonly stopTimeoutMs?: number;
}

export interface JobFilter {
  readonly kind?: string;
  readonly status?: JobStatus;
  readonly workerId?: string;
  readonly isDead?: true;
  /** How many of the newest are passed over. */
  readonly start?: number;
  readonly limit: number;
}

/** The records of jobs, as whoever asks for work sees them. */
export interface JobRecords {
  add(job: NewJob): Promise<Job>;
  find(id: string): Promise<Job | undefined>;
  /** Newest scheduled first. */
  list(filter: JobFilter): Promise<Job[]>;
  /**
   * A job that waits is canceled; one that runs is told to end at its next safe point; one that ended stays as it is. Resolves
   * with the job, or undefined where there is none.
   */
  cancel(id: string, by: string): Promise<Job | undefined>;
  /** Removes a job with its log; a run of it stops at its next safe point. Resolves with whether it was there. */
  remove(id: string): Promise<boolean>;
  /** Lines behind `afterLine`, in their order. */
  lines(id: string, afterLine: number, limit: number): Promise<JobLine[]>;
  workers(): Promise<WorkerRecord[]>;
  schedules(): Promise<ScheduleRecord[]>;
  /** Sets a schedule, or with undefined goes back to the default. Resolves with undefined for a kind that no jobrunner declared. */
  setSchedule(kind: string, override: string | undefined, by: string): Promise<ScheduleRecord | undefined>;
}
