import type { ObjectPlace } from '@entrepot/blob-store';
import { inspectDatabase, type DatabasePool } from '@entrepot/metadata';
import type { Findings } from './finding.js';

/** Tokens are good a minute longer than they say, and stores refuse signatures that are a quarter of an hour off. */
const LIMITS_MS = {
  database: { warn: 5_000, fail: 60_000 },
  store: { warn: 60_000, fail: 300_000 },
} as const;

/** This machine's clock beside those of the database and of each store. */
export async function checkClocks(
  { pool, places }: { readonly pool: DatabasePool | undefined; readonly places: readonly ObjectPlace[] },
  findings: Findings,
): Promise<void> {
  if (pool) {
    const skewMs = await measureSkew(async () => (await inspectDatabase(pool)).now);
    judge(findings, { of: 'the database', skewMs, limits: LIMITS_MS.database });
  }
  for (const { name, store } of places) {
    const skewMs = await measureSkew(() => store.now()).catch(() => undefined);
    // A store that does not answer is a finding of its own.
    if (skewMs !== undefined) judge(findings, { of: `the store ${name}`, skewMs, limits: LIMITS_MS.store });
  }
}

/** How far the other clock is ahead: its answer is that of the middle of the question. */
async function measureSkew(ask: () => Promise<Date>): Promise<number> {
  const askedMs = Date.now();
  const theirs = await ask();
  return theirs.getTime() - (askedMs + Date.now()) / 2;
}

function judge(
  findings: Findings,
  { of, skewMs, limits }: { of: string; skewMs: number; limits: { readonly warn: number; readonly fail: number } },
): void {
  const seconds = Math.abs(skewMs / 1000);
  const note = `the clock of ${of} is ${seconds.toFixed(seconds < 10 ? 1 : 0)} s ${skewMs < 0 ? 'behind' : 'ahead of'} this machine's`;
  const advice = 'let NTP set the clocks of both machines';
  if (Math.abs(skewMs) >= limits.fail) findings.fail(note, advice);
  else if (Math.abs(skewMs) >= limits.warn) findings.warn(note, advice);
  else findings.ok(`the clock of ${of} agrees with this machine's`);
}
