import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { Entrepot } from '@entrepot/testkit/entrepot';

const POLL_MS = 10;
const LIMIT_MS = 30_000;

/** Resolves once none of its processes lives. */
export function untilDead(product: Entrepot): Promise<void> {
  return until(() => product.processes().length === 0, `${product.pid} to be dead`);
}

/** Resolves once its first process is stopped (SIGSTOP). */
export function untilStopped(product: Entrepot): Promise<void> {
  return until(() => stateOf(product.pid) === 'T', `${product.pid} to be stopped`);
}

/** Polls; rejects where it takes too long. */
export async function until(isSo: () => boolean | Promise<boolean>, what: string): Promise<void> {
  for (const deadline = performance.now() + LIMIT_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (await isSo()) return;
  }
  throw new Error(`waited in vain for ${what}`);
}

/** One letter, as `ps` shows it. */
function stateOf(pid: number): string | undefined {
  return /^State:\s+(\w)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
}
