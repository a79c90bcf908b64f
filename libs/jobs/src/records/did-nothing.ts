import type { JobResult } from '../kinds/job-kind.js';

/** Whether a run had nothing to do: all of its numbers are 0. */
export function didNothing(result: JobResult): boolean {
  return Object.values(result).every((value) => typeof value !== 'number' || value === 0);
}
