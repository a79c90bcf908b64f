import { parseArgs } from 'node:util';
import { readSettings, SettingsError } from './environment.js';
import { formatJson, formatReport, tally } from './ledger/report.js';
import { runConformance } from './run.js';

const usage = `Usage: CONFORMANCE_URL=http://127.0.0.1:5000 node test/conformance/dist/main.js [--json]

Runs the ported OCI conformance suites against a registry and prints a table, or JSON with --json.
The other CONFORMANCE_ variables are in test/conformance/README.md.
Exit codes: 0 nothing failed, 1 an assertion failed, 2 it could not run.
`;

const exitCodes = { ok: 0, failed: 1, unusable: 2 } as const;

/** Reads arguments and environment, runs, prints; resolves to the exit code. */
async function main(): Promise<number> {
  const { values } = parseArgs({ options: { json: { type: 'boolean' }, help: { type: 'boolean', short: 'h' } } });
  if (values.help === true) {
    process.stdout.write(usage);
    return exitCodes.ok;
  }
  const ledger = await runConformance(readSettings(process.env));
  process.stdout.write(values.json === true ? formatJson(ledger) : formatReport(ledger));
  const { pass, fail } = tally(ledger);
  // A run that held nothing proves nothing.
  return fail > 0 || pass === 0 ? exitCodes.failed : exitCodes.ok;
}

try {
  process.exitCode = await main();
} catch (error) {
  const message = error instanceof Error ? error.message : String(error);
  process.stderr.write(`conformance: ${message}\n${error instanceof SettingsError ? usage : ''}`);
  process.exitCode = exitCodes.unusable;
}
