import { setTimeout as delay } from 'node:timers/promises';
import { Findings, type Finding } from './finding.js';

/** One thing to look at. What it rejects with is a finding of its own. */
export interface Check {
  readonly name: string;
  look(findings: Findings): Promise<void> | void;
}

/** A check that takes longer has found something, too. */
const LIMIT_MS = 8_000;

/** Runs all checks at once, and resolves with what they found in the order in which they are given. */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  return (await Promise.all(checks.map(runCheck))).flat();
}

async function runCheck({ name, look }: Check): Promise<Finding[]> {
  const findings = new Findings(name);
  const giveUp = new AbortController();
  try {
    const limit = delay(LIMIT_MS, 'late', { signal: giveUp.signal });
    if ((await Promise.race([look(findings), limit])) === 'late') {
      findings.fail(`no answer within ${LIMIT_MS / 1000} s`, 'see whether it is overloaded, or cannot be reached');
    }
  } catch (error) {
    findings.fail(reasonOf(error), 'put that right, and look again');
  } finally {
    giveUp.abort();
  }
  // What comes later is not read any more.
  return [...findings.all];
}

/** The reason behind what a driver wrapped: whoever runs the command may see it. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error && !error.message.includes(error.cause.message)
    ? `${error.message} (${error.cause.message})`
    : error.message;
}
