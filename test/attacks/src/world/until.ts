import { setTimeout as delay } from 'node:timers/promises';

/** How soon a withdrawal of rights must be felt (P5). */
export const WITHDRAWAL_MS = 5000;

/** Asks again until the answer holds, and resolves with the time that took. Rejects after `boundMs`. */
export async function until(holds: () => Promise<boolean>, boundMs: number): Promise<number> {
  const startedMs = performance.now();
  while (!(await holds())) {
    if (performance.now() - startedMs > boundMs) throw new Error(`it did not come about within ${boundMs} ms`);
    await delay(50);
  }
  return performance.now() - startedMs;
}
