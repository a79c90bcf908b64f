/** How far a run has come. */
export interface JobProgress {
  readonly done: number;
  readonly total?: number;
  /** What is counted, in the plural: `blobs`, `bytes`. */
  readonly unit: string;
  /** What a run that takes over needs to go on from here; JSON. */
  readonly state?: unknown;
}

/** One run of a job, as its kind sees it. */
export interface JobRun {
  readonly jobId: string;
  readonly parameters: Readonly<Record<string, string>>;
  /** Aborts where the run has to end at its next safe point: it was canceled, its deadline passed, or its worker stops. */
  readonly signal: AbortSignal;
  /** What a former run of the same job noted last, for resuming; undefined where there was none. */
  readonly state: unknown;
  /** Adds a line to the job's log. */
  log(line: string): void;
  /**
   * Notes progress. Call it between steps, and before a step that must not be done by two workers: it rejects with `JobLost`
   * where another worker has taken the job over.
   */
  note(progress: JobProgress): Promise<void>;
}

/** What a run did: counts, sizes in bytes, findings. A scheduled run whose numbers are all 0 did nothing, and leaves no record. */
export type JobResult = Readonly<Record<string, number | string | boolean>>;

/** A kind of work in the background. */
export interface JobKind {
  readonly name: string;
  /** Whether a job whose worker died may be run again by another one. */
  readonly mayRunTwice: boolean;
  /** Resolves with what it did; also where the signal aborted, with what it did until then. A failure is tried again. */
  run(job: JobRun): Promise<JobResult>;
}

/** A kind, and when it runs by itself. */
export interface ScheduledKind {
  readonly kind: JobKind;
  /** Default schedule, such as `@every 1m`, `0 0 3 * * *`, `@daily` or `off`. */
  readonly schedule: string;
}

/** Another worker has taken the job over; whatever this one would still do is not its to do. */
export class JobLost extends Error {
  override readonly name = 'JobLost';
}
