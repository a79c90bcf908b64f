import type { Capacity } from './job.js';

/** A process that runs jobs. */
export interface WorkerRecord {
  readonly id: string;
  /** `dead`: not heard of for `HEARTBEAT_EXPIRY_MS`; its jobs are given to others. */
  readonly status: 'running' | 'stopping' | 'dead';
  readonly host: string;
  readonly processId: number;
  readonly kinds: readonly string[];
  readonly capacity: Capacity;
  readonly startedAt: Date;
  readonly heartbeatExpiration: Date;
  readonly runningJobs: number;
}

/** A worker says that it lives as often as this. */
export const HEARTBEAT_INTERVAL_MS = 10_000;

/** A worker that was silent for so long is dead: two signs of life missed, and time for another one to look within 30 s. */
export const HEARTBEAT_EXPIRY_MS = 25_000;
