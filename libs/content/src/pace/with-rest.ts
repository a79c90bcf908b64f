import { setTimeout as delay } from 'node:timers/promises';

/** Rest for each moment of work. */
const REST = 2;
const MAX_REST_MS = 1000;

/**
 * Does the work, and then nothing for twice as long: who works in a loop so leaves two thirds of processors, disk and database
 * to requests, and more to do it in where these are slow. Resolves early where `signal` aborts.
 */
export async function withRest<T>(work: () => Promise<T>, signal: AbortSignal): Promise<T> {
  const begunMs = performance.now();
  const result = await work();
  const restMs = Math.min((performance.now() - begunMs) * REST, MAX_REST_MS);
  await delay(restMs, undefined, { signal }).catch(() => undefined);
  return result;
}
