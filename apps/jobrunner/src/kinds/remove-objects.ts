import { removeDoomedObjects } from '@entrepot/content';
import type { JobRun } from '@entrepot/jobs';
import type { KindRoom } from './kind-room.js';

/** Counts of `removeObjects`, as results name them. */
export interface RemovedObjects {
  readonly objectsRemoved: number;
  readonly bytesRemoved: number;
  readonly failures: number;
}

/** Removes what is doomed, in the run that doomed it: whoever waits for the job sees the space free. */
export async function removeObjects(
  { config, purge, store }: Pick<KindRoom, 'config' | 'purge' | 'store'>,
  { signal, log }: Pick<JobRun, 'signal' | 'log'>,
): Promise<RemovedObjects> {
  const ratePerSecond = config.gc.removalRate;
  const { objects, bytes, failures } = await removeDoomedObjects({ purge, store, ratePerSecond, signal });
  for (const error of failures) log(`an object could not be removed and is tried again: ${String(error)}`);
  return { objectsRemoved: objects, bytesRemoved: bytes, failures: failures.length };
}
