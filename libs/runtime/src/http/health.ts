import { redactCredentials } from '../observe/printable.js';

/** Resolves when the dependency works; the reason of a rejection is shown to the operator, credentials redacted. */
export interface HealthCheck {
  (): Promise<unknown>;
  /** Work goes on without it, only worse. */
  readonly isOptional?: true;
}

export interface DependencyHealth {
  readonly name: string;
  readonly ok: boolean;
  readonly latencyMs: number;
  readonly error?: string;
  /** Work goes on without it, only worse. */
  readonly optional?: true;
}

export interface Health {
  /** Whether everything works that is needed. */
  readonly ok: boolean;
  /** Whether anything does not work. */
  readonly degraded: boolean;
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
  return summarizeHealth(dependencies);
}

/** The whole by its parts. */
export function summarizeHealth(dependencies: readonly DependencyHealth[]): Health {
  return {
    ok: dependencies.every(({ ok, optional }) => ok || optional),
    degraded: dependencies.some(({ ok }) => !ok),
    dependencies,
  };
}

async function runCheck(name: string, check: HealthCheck): Promise<DependencyHealth> {
  const startedMs = performance.now();
  const part = { name, ...(check.isOptional && { optional: true as const }) };
  const latency = (): number => Math.round((performance.now() - startedMs) * 10) / 10;
  try {
    await withTimeout(check);
    return { ...part, ok: true, latencyMs: latency() };
  } catch (error) {
    const reason = error instanceof Error ? error.message : 'failed';
    return { ...part, ok: false, latencyMs: latency(), error: redactCredentials(reason).slice(0, MAX_ERROR_LENGTH) };
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
