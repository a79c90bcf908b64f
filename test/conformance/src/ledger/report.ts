import type { Assertion, Ledger } from './ledger.js';
import type { Outcome } from './outcome.js';

/** How many assertions ended in which way. */
export type Tally = Readonly<Record<Outcome, number>>;

/** Counts the outcomes of the assertions. */
export function tally(assertions: readonly Assertion[]): Tally {
  const counts = { pass: 0, fail: 0, skip: 0 };
  for (const assertion of assertions) counts[assertion.outcome] += 1;
  return counts;
}

/** `N passed, N failed, N skipped`: the closing line of a report. */
function summarize(assertions: readonly Assertion[]): string {
  const { pass, fail, skip } = tally(assertions);
  return `${pass} passed, ${fail} failed, ${skip} skipped`;
}

/** The report for people: a row for each group, then everything that did not pass with its clause, then the summary. */
export function formatReport(ledger: Ledger): string {
  const groups = new Set(ledger.map(groupOf));
  const rows = [...groups].map((group) => formatRow(group, tally(ledger.filter((one) => groupOf(one) === group))));
  const header = `${'group'.padEnd(44)}${'passed'.padStart(7)}${'failed'.padStart(7)}${'skipped'.padStart(8)}`;
  const complaints = ledger.filter((assertion) => assertion.outcome !== 'pass').map(formatComplaint);
  const parts = [[header, ...rows].join('\n'), complaints.join('\n'), summarize(ledger)];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** The report for programs: the counts and every assertion. */
export function formatJson(ledger: Ledger): string {
  return `${JSON.stringify({ counts: tally(ledger), assertions: ledger }, null, 2)}\n`;
}

/** A suite's outermost group: what a row of the table counts. */
function groupOf(assertion: Assertion): string {
  return `${assertion.suite}  ${assertion.group.split('/')[0]}`;
}

function formatRow(group: string, { pass, fail, skip }: Tally): string {
  return `${group.padEnd(44)}${String(pass).padStart(7)}${String(fail).padStart(7)}${String(skip).padStart(8)}`;
}

/** One assertion that did not pass, with its clause and the reason. */
export function formatComplaint(assertion: Assertion): string {
  const { outcome, suite, group, name, clause, detail = '' } = assertion;
  return `${outcome.toUpperCase()}  ${suite}  ${group}/${name}  [${clause}]\n      ${detail}`;
}
