/** How serious it is: `warn` will become a failure, or makes one worse; with `fail` something does not work now. */
export type Outcome = 'ok' | 'warn' | 'fail';

/** What a check found, and what to do about it where something is. */
export interface Finding {
  /** What was looked at: `clocks`, `database`. */
  readonly check: string;
  readonly outcome: Outcome;
  readonly note: string;
  readonly advice?: string;
}

/** Findings of one check, in the order in which they are made. */
export class Findings {
  readonly all: Finding[] = [];

  constructor(private readonly check: string) {}

  ok(note: string): void {
    this.all.push({ check: this.check, outcome: 'ok', note });
  }

  warn(note: string, advice: string): void {
    this.all.push({ check: this.check, outcome: 'warn', note, advice });
  }

  fail(note: string, advice: string): void {
    this.all.push({ check: this.check, outcome: 'fail', note, advice });
  }
}
