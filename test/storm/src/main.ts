import { inspect } from 'node:util';
import { Violation } from './model/violation.js';
import { parseOptions, USAGE } from './options.js';
import { runStorm } from './run-storm.js';

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (!options) return void process.stdout.write(USAGE);
  const { seed, operations, grace, undo, store } = options;
  const what = `seed ${seed}, ${operations} operations, grace ${grace}, undo ${undo}, ${store}`;
  say(what);
  const ending = new AbortController();
  process.once('SIGTERM', () => ending.abort());
  const report = await runStorm(options, say, ending.signal);
  process.stdout.write(`\ngc-storm: ${what}\n${report.map((line) => `  ${line}\n`).join('')}no violation\n`);
}

function say(line: string): void {
  process.stderr.write(`gc-storm: ${line}\n`);
}

try {
  await main();
} catch (error) {
  const text = error instanceof Violation ? `VIOLATION ${error.message}` : inspect(error);
  process.stderr.write(`gc-storm: ${text}\n`);
  // Not only the code: actors of a broken storm may still wait for answers.
  process.exit(1);
}
