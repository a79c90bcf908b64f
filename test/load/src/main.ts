import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, release } from 'node:os';
import { join } from 'node:path';
import { startClient } from './client/start-client.js';
import type { Absence, Contender, ContenderName } from './contenders/contender.js';
import { findDistribution } from './contenders/distribution.js';
import { findDockerRegistry } from './contenders/docker-registry.js';
import { findEntrepot } from './contenders/entrepot.js';
import { findNginx } from './contenders/nginx.js';
import { createTokenIssuer } from './contenders/token-issuer.js';
import { freeBytes, isInMemory } from './machine/file-system.js';
import { hasWrk } from './machine/request-rate.js';
import { stopAllServers } from './machine/server-process.js';
import { type Options, parseOptions, USAGE } from './options.js';
import { formatTable, toJson } from './report.js';
import { launchAll, runWorkload, type WorkloadResult } from './run-bench.js';
import { runGc } from './gc/run-gc.js';
import { listScaleWorks, runScale } from './scale/run-scale.js';
import type { ScaleTable } from './scale/scale-lab.js';
import { allWorkloads } from './workloads/all-workloads.js';
import { createSamples } from './workloads/sample-files.js';
import { FULL_SIZE, type Lab, QUICK_SIZE, type Subject, type Workload } from './workloads/workload.js';

const NEEDED_BYTES = 12 * 1024 ** 3;
const FINDERS: Readonly<Record<ContenderName, () => Promise<Contender | Absence>>> = {
  entrepot: findEntrepot,
  distribution: findDistribution,
  'docker-registry': findDockerRegistry,
  nginx: findNginx,
};

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  const size = options.isQuick ? QUICK_SIZE : FULL_SIZE;
  const workloads = allWorkloads(size).filter(({ name }) => isWanted(name, options.only));
  if (options.isHelp) return print(USAGE);
  if (options.isList && options.isScale) return print(listScaleWorks());
  if (options.isList) return print(workloads.map(({ name, title }) => `${name.padEnd(20)} ${title}\n`).join(''));
  const isBench = !options.isScale && !options.isGc;
  if (workloads.length === 0 && isBench) throw new Error('no work has such a name; see --list');
  const directory = makeDirectory(options.directory);
  const interrupted = Promise.withResolvers<never>();
  const interrupt = (signal: NodeJS.Signals) => interrupted.reject(new Error(`ended by ${signal}`));
  process.once('SIGINT', interrupt).once('SIGTERM', interrupt);
  try {
    const work = isBench ? bench(options, { directory, size, workloads }) : measureTables(options, directory);
    await Promise.race([work, interrupted.promise]);
  } finally {
    await stopAllServers();
    say('removing the data');
    rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
  }
}

interface Plan {
  readonly directory: string;
  readonly size: Lab['size'];
  readonly workloads: readonly Workload[];
}

async function bench(options: Options, { directory, size, workloads }: Plan): Promise<void> {
  const contenders = await findContenders(options.peers);
  const client = startClient();
  const lab: Lab = { directory, size, client, issuer: createTokenIssuer(directory), samples: createSamples(directory) };
  const subjects = await launchAll(contenders, lab, say);
  const names = subjects.map(({ contender }) => contender.name);
  const results: WorkloadResult[] = [];
  for (const workload of workloads) {
    say(workload.title);
    results.push(await runWorkload(workload, subjects, lab));
  }
  client.stop();
  print(`\n${describeRun(subjects, lab)}\n\n${formatTable(results, names)}\n`);
  for (const failure of failures(results)) print(`${failure}\n`);
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify(asJson(subjects, results), undefined, 2)}\n`);
  if (subjects.length < contenders.length || failures(results).length > 0) process.exitCode = 1;
}

/** What comes in tables of its own: `--scale` and `--gc`. */
async function measureTables(options: Options, directory: string): Promise<void> {
  const { isQuick, isScale, uploadMib, only } = options;
  const tables: ScaleTable[] = [];
  const onTable = (table: ScaleTable) => {
    tables.push(table);
    print(`\n${table.title}\n\n${table.text}\n`);
  };
  print(`\n${describeMachine()}\n`);
  const lab = { directory, isQuick, say, onTable };
  if (isScale) {
    await runScale({ ...lab, ...(uploadMib !== undefined && { uploadMib }), isWanted: (name) => isWanted(name, only) });
  } else await runGc({ ...lab, peers: options.peers });
  if (options.jsonFile) writeFileSync(options.jsonFile, `${JSON.stringify(tables, undefined, 2)}\n`);
}

function isWanted(name: string, only: readonly string[]): boolean {
  return only.length === 0 || only.some((beginning) => name.startsWith(beginning));
}

/** A directory that other users may pass through: a database server may have to run as one of them. */
function makeDirectory(parent: string): string {
  const free = freeBytes(parent);
  if (free < NEEDED_BYTES)
    throw new Error(`${parent} has ${Math.floor(free / 1024 ** 3)} GiB free; the bench needs 12`);
  if (isInMemory(parent))
    say(`${parent} lies in memory: durable writes cost nothing there; choose another --directory`);
  const directory = mkdtempSync(join(realpathSync(parent), 'entrepot-bench-'));
  chmodSync(directory, 0o755);
  return directory;
}

async function findContenders(wanted: readonly ContenderName[]): Promise<readonly Contender[]> {
  const found: Contender[] = [];
  for (const name of wanted) {
    const contender = await FINDERS[name]().catch((cause: unknown) => ({ name, reason: (cause as Error).message }));
    if ('reason' in contender) say(`without ${name}: ${contender.reason}`);
    else found.push(contender);
  }
  return found;
}

function describeRun(subjects: readonly Subject[], { directory, size }: Lab): string {
  const requests = hasWrk
    ? 'wrk for GET, own client for the rest of the requests'
    : 'own client (wrk is not installed)';
  const work = `medians of up to ${size.repetitions} interleaved repetitions after a warm-up; ${requests}; curl for large blobs`;
  const members = subjects.map(({ contender }) => `  ${contender.name}: ${contender.description}`);
  return [describeMachine(), `${work}; data below ${directory}`, ...members].join('\n');
}

function describeMachine(): string {
  const model = cpus()[0]?.model.trim() ?? 'processor';
  return `${availableParallelism()} x ${model}, Linux ${release()}, Node ${process.version}`;
}

function failures(results: readonly WorkloadResult[]): readonly string[] {
  return results.flatMap(({ workload, outcomes }) =>
    [...outcomes].flatMap(([name, outcome]) =>
      'failure' in outcome ? [`${name} failed at "${workload.title}": ${outcome.failure}`] : [],
    ),
  );
}

function asJson(subjects: readonly Subject[], results: readonly WorkloadResult[]): object {
  return {
    machine: { cores: availableParallelism(), model: cpus()[0]?.model, kernel: release(), node: process.version },
    contenders: Object.fromEntries(subjects.map(({ contender }) => [contender.name, contender.description])),
    results: toJson(results),
  };
}

function print(text: string): void {
  process.stdout.write(text);
}

function say(line: string): void {
  process.stderr.write(`bench: ${line}\n`);
}

try {
  await main();
} catch (cause) {
  say((cause as Error).message);
  // Not only the code: after a signal the rest of the bench is still under way, against servers that are gone.
  process.exit(1);
}
