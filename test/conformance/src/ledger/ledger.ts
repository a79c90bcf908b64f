import { Unsupported } from './outcome.js';
import type { Outcome } from './outcome.js';

/** Which official program the assertion was ported from; `beyond` holds what neither asks. */
export type SuiteName = 'main' | 'v1.1.1' | 'beyond';

/** What an assertion is called: its suite, the group it is counted in, its name there, and the clause that demands it. */
export interface Label {
  readonly suite: SuiteName;
  readonly group: string;
  readonly name: string;
  readonly clause: string;
}

/** One finished assertion. */
export interface Assertion extends Label {
  readonly outcome: Outcome;
  /** Why it failed or was skipped. */
  readonly detail?: string;
}

/** All assertions of a run in the order in which they ended. */
export type Ledger = Assertion[];

/** Runs one assertion and files how it ended; anything thrown but {@link Unsupported} is a failure. Resolves to true on a pass. */
export async function assess(ledger: Ledger, label: Label, body: () => Promise<void>): Promise<boolean> {
  try {
    await body();
    ledger.push({ ...label, outcome: 'pass' });
    return true;
  } catch (error) {
    const outcome = error instanceof Unsupported ? 'skip' : 'fail';
    ledger.push({ ...label, outcome, detail: error instanceof Error ? error.message : String(error) });
    return false;
  }
}
