import { setTimeout as delay } from 'node:timers/promises';

/**
 * Makes a gate that lets `bytesPerSecond` pass on average, however many pass at once. The returned function resolves when
 * the bytes that it is told may go; it rejects when `signal` aborts.
 */
export function paceBytes(bytesPerSecond: number, signal: AbortSignal): (sizeBytes: number) => Promise<void> {
  let freeAtMs = performance.now();
  return async (sizeBytes) => {
    const nowMs = performance.now();
    freeAtMs = Math.max(freeAtMs, nowMs) + (sizeBytes / bytesPerSecond) * 1000;
    if (freeAtMs - nowMs >= 1) await delay(freeAtMs - nowMs, undefined, { signal });
  };
}
