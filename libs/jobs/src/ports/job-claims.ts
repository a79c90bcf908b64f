import type { JobProgress, JobResult } from '../kinds/job-kind.js';
import type { Capacity, Job } from '../records/job.js';

/** A worker that introduces itself. */
export interface NewWorker {
  readonly id: string;
  readonly host: string;
  readonly processId: number;
  readonly kinds: readonly string[];
  readonly capacity: Capacity;
}

/** Says which claim a worker speaks of: it is void once the job's fence is another. */
export interface Claim {
  readonly id: string;
  readonly fence: string;
}

/** A job that a worker has taken. */
export interface ClaimedJob extends Claim {
  readonly job: Job;
  /** What a former run noted. */
  readonly state: unknown;
  /** Time since the first start. */
  readonly elapsedMs: number;
  /** Number of the last line in its log. */
  readonly lastLine: number;
}

/** A claim that no other worker has taken over. */
export interface StandingClaim {
  readonly id: string;
  /** Where somebody asked for a cancel. */
  readonly cancelRequestedBy: string | undefined;
}

/** What became of a run. */
export interface JobEnd {
  readonly status: 'done' | 'canceled' | 'errored';
  readonly result?: JobResult | undefined;
  readonly error?: string | undefined;
  /** A further job tries it again after so long, where retries are left. */
  readonly retryAfterMs?: number | undefined;
}

/** A job that was found without its worker. */
export interface LostJob {
  readonly id: string;
  readonly kind: string;
  readonly workerId: string;
  readonly status: 'waiting' | 'canceled' | 'errored';
}

export interface JobCounts {
  readonly jobs: readonly { readonly kind: string; readonly status: string; readonly count: number }[];
  /** For how long the job that should have been taken first has been waiting. */
  readonly oldestWaitingMs: number;
  /** Jobs that should have been taken a minute ago. */
  readonly overdue: number;
}

/** The records of jobs, as a worker sees them. All times are the database's. */
export interface JobClaims {
  /** Says that a worker lives: at its start, and again and again. Resolves with what it may use, which an operator may have changed. */
  greet(worker: NewWorker): Promise<Capacity>;
  /** Says that a worker takes nothing more. */
  stopping(workerId: string): Promise<void>;
  /** Forgets a worker that has ended. */
  leave(workerId: string): Promise<void>;
  /** Takes the job that has been due for longest, of the kinds and within the capacity given. */
  claim(workerId: string, kinds: readonly string[], free: Capacity): Promise<ClaimedJob | undefined>;
  /** Says that claims are still worked at. Resolves with those that stand. */
  keep(claims: readonly Claim[]): Promise<StandingClaim[]>;
  /** The same without a sign of life. */
  check(claims: readonly Claim[]): Promise<StandingClaim[]>;
  /** Notes progress; false where the claim is void. */
  note(claim: Claim, progress: JobProgress): Promise<boolean>;
  /** Adds lines, of which the first gets the number given; only the last `keptLines` stay. False where the claim is void. */
  append(
    claim: Claim,
    lines: { readonly first: number; readonly data: readonly string[] },
    keptLines: number,
  ): Promise<boolean>;
  /** Records the end; resolves with the id of the job that tries it again, if any. A void claim changes nothing. */
  end(claim: Claim, end: JobEnd): Promise<string | undefined>;
  /** Removes a job that did nothing. */
  forget(claim: Claim): Promise<void>;
  /** Lets another worker take the job at once. */
  giveBack(claim: Claim, reason: string): Promise<void>;
  /** Gives jobs of dead workers back: to others, or for kinds in `onceKinds` to nobody. */
  reclaim(kinds: readonly string[], onceKinds: readonly string[]): Promise<LostJob[]>;
  /** Writes down the defaults that the settings say. */
  declare(
    schedules: readonly { readonly kind: string; readonly schedule: string; readonly retries: number }[],
  ): Promise<void>;
  /** Adds the jobs that schedules owe, each once for the whole cluster; resolves with the time until the next one is due. */
  fire(kinds: readonly string[]): Promise<number | undefined>;
  /** Adds a job as its schedule would, unless that is off or one is waiting. */
  fireNow(kind: string): Promise<void>;
  /** Removes jobs that ended long ago, and all but the newest; resolves with how many. */
  trim(kept: { readonly count: number; readonly ageMs: number }): Promise<number>;
  count(): Promise<JobCounts>;
}
