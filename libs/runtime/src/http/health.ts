import { redactCredentials } from '../observe/printable.js';

/** Resolves when the dependency works; the reason of a rejection is shown to the operator, credentials redacted. */
export type HealthCheck = () => Promise<unknown>;

export interface DependencyHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly error?: string;
}

export interface Health {
  readonly ok: boolean;
  readonly dependencies: readonly DependencyHealth[];
}

const CHECK_TIMEOUT_MS = 3000;
const CACHE_MS = 1000;
const MAX_ERROR_LENGTH = 200;

/** Runs all checks at once, each for at most three seconds; asked again within a second it gives the same answer. */
export function createHealth(checks: Readonly<Record<string, HealthCheck>>): () => Promise<Health> {
  let cached: { readonly health: Promise<Health>; readonly atMs: number } | undefined;
  return () => {
    const nowMs = performance.now();
    if (cached === undefined || nowMs - cached.atMs >= CACHE_MS) cached = { health: runChecks(checks), atMs: nowMs };
    return cached.health;
  };
}

async function runChecks(checks: Readonly<Record<string, HealthCheck>>): Promise<Health> {
  const dependencies = await Promise.all(Object.entries(checks).map(([name, check]) => runCheck(name, check)));
  return { ok: dependencies.every(({ ok }) => ok), dependencies };
}

async function runCheck(name: string, check: HealthCheck): Promise<DependencyHealth> {
  const startedMs = performance.now();
  const latency = (): number => Math.round((performance.now() - startedMs) * 10) / 10;
  try {
    await withTimeout(check);
    return { name, ok: true, latencyMs: latency() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'failed';
    return { name, ok: false, latencyMs: latency(), error: redactCredentials(reason).slice(0, MAX_ERROR_LENGTH) };
  }
}

async function withTimeout(check: HealthCheck): Promise<void> {
  const timeout = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => timeout.reject(new Error(`no answer within ${CHECK_TIMEOUT_MS} ms`)),
    CHECK_TIMEOUT_MS,
  );
  try {
    await Promise.race([check(), timeout.promise]);
  } finally {
    clearTimeout(timer);
  }
}
