import { setTimeout as delay } from 'node:timers/promises';

/** Resolves when so many bytes, objects or whatever is counted may go; rejects where its signal aborts. */
export type Pace = (amount: number) => Promise<void>;

/** A gate that lets `perSecond` pass on average, however many ask at once; 0 lets everything pass. */
export function createPace(perSecond: number, signal: AbortSignal): Pace {
  if (perSecond === 0) return async () => {};
  let freeAtMs = performance.now();
  return async (amount) => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + (amount / perSecond) * 1000;
    if (freeAtMs - nowMs >= 1) await delay(freeAtMs - nowMs, undefined, { signal });
  };
}
