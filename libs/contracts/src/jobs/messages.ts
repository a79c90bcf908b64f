import type { Timestamp } from '../wire/timestamp.js';

/** Messages of `entrepot/jobs/v1/jobs.proto`, which says what they mean. Timestamps that are not sent are null. */
export interface JobMessage {
  readonly id: string;
  readonly retryFromId: string;
  readonly workerId: string;
  readonly status: string;
  readonly scheduledAt: Timestamp | null;
  readonly lastUpdated: Timestamp | null;
  readonly action: string;
  readonly retriesLeft: number;
  readonly retriesTotal: number;
  readonly capacityMap: Readonly<Record<string, number>>;
  readonly parameters: Readonly<Record<string, string>>;
  readonly deadline: string;
  readonly stopTimeout: string;
  readonly requestedBy: string;
  readonly createdAt: Timestamp | null;
  readonly startedAt: Timestamp | null;
  readonly finishedAt: Timestamp | null;
  readonly cancelRequestedAt: Timestamp | null;
  readonly progress: { readonly done: number; readonly total?: number; readonly unit: string } | null;
  readonly result: Readonly<Record<string, ValueMessage>>;
  readonly error: string;
  readonly dead: boolean;
}

/** One of the three; `kind` says which when it was received. */
export interface ValueMessage {
  readonly number?: number;
  readonly text?: string;
  readonly flag?: boolean;
  readonly kind?: 'number' | 'text' | 'flag';
}

export interface JobIdMessage {
  readonly id: string;
}

export interface ListJobsRequest {
  readonly action: string;
  readonly status: string;
  readonly workerId: string;
  readonly dead: boolean;
  readonly start: number;
  readonly limit: number;
}

export interface RunJobRequest {
  readonly action: string;
  readonly parameters: Readonly<Record<string, string>>;
  readonly retries: number;
  readonly scheduledAt: Timestamp | null;
  readonly deadline: string;
  readonly stopTimeout: string;
  readonly requestedBy: string;
}

export interface CancelJobRequest {
  readonly id: string;
  readonly requestedBy: string;
}

export interface GetLogRequest {
  readonly id: string;
  readonly afterLine: number;
  readonly follow: boolean;
}

export interface LogLineMessage {
  readonly lineNum: number;
  readonly data: string;
  readonly at: Timestamp | null;
}

export interface ScheduleMessage {
  readonly action: string;
  readonly schedule: string;
  readonly source: string;
  readonly default: string;
  readonly setBy: string;
  readonly retries: number;
  readonly nextRun: Timestamp | null;
  readonly lastRun: Timestamp | null;
}

export interface SetScheduleRequest {
  readonly action: string;
  readonly schedule: string;
  readonly requestedBy: string;
}

export interface WorkerMessage {
  readonly id: string;
  readonly status: string;
  readonly capacityMap: Readonly<Record<string, number>>;
  readonly heartbeatExpiration: Timestamp | null;
  readonly host: string;
  readonly processId: number;
  readonly actions: readonly string[];
  readonly runningJobs: number;
}
