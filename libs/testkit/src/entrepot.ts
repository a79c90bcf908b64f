import { spawn, type ChildProcess } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { chmod, mkdtemp, realpath, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { findProcesses, killProcesses, signalProcess, type ProcessSet } from './processes.js';

/** Where the checkout is. */
const TOP_DIRECTORY = fileURLToPath(new URL('../../..', import.meta.url));
/** The command as a user runs it; it compiles the sources first where they changed. */
const ENTREPOT = ['sh', 'apps/cli/bin/entrepot'];

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 60_000;
const POLL_MS = 25;
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 32_767;

export interface EntrepotOptions {
  /** What is launched at the top of the checkout; default is the `entrepot` command with `start`. */
  readonly command?: readonly string[];
  /** Variables `ENTREPOT_…` beside the ports, the data directory and the administrator's password. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Data directory to start over; default is a new one, which `remove` deletes. */
  readonly dataDirectory?: string;
}

/** An Entrepot in processes of its own, on free loopback ports. */
export interface Entrepot {
  /** Origin of the registry. */
  readonly url: string;
  /** The registry's host and port, as image references begin. */
  readonly host: string;
  readonly port: number;
  readonly opsPort: number;
  /** Password of the account `admin`. */
  readonly adminPassword: string;
  readonly dataDirectory: string;
  /** The process that was launched, which leads a process group of its own; changes with `restart`. */
  readonly pid: number;
  /** Everything that it wrote to standard output and error, over all its runs. */
  output(): string;
  /** Ids of all its processes that live, Postgres included. */
  processes(): number[];
  /** Runs another `entrepot` command with the same settings, returns its standard output; rejects unless it ends with 0. */
  run(args: readonly string[], input?: string): Promise<string>;
  /** The same for a command that may fail. */
  attempt(args: readonly string[]): Promise<Attempt>;
  /** SIGTERM, as an operator stops it. Returns the exit code; null where a signal ended it, or it had to be killed. */
  stop(): Promise<number | null>;
  /** SIGKILL to every process at once, as a power cut would. */
  kill(): Promise<void>;
  /** Starts again over the same data, ports and settings; the Node process must have ended. */
  restart(): Promise<void>;
  /** Ends what runs and deletes what `startEntrepot` made. */
  remove(): Promise<void>;
}

/** Starts Entrepot as a user would and returns once it is ready. Rejects with what it wrote when it ends before. */
export async function startEntrepot(options: EntrepotOptions = {}): Promise<Entrepot> {
  const { command = [...ENTREPOT, 'start'], settings = {} } = options;
  const directory = await makeDirectory();
  const dataDirectory = options.dataDirectory ?? join(directory, 'data');
  const [port, opsPort] = await Promise.all([findFreePort(), findFreePort()]);
  const adminPassword = randomBytes(18).toString('base64url');
  const place = { dataDirectory, outputPath: join(directory, 'output.log'), port };
  const environment = {
    ENTREPOT_DATA_DIR: dataDirectory,
    ENTREPOT_HTTP_PORT: String(port),
    ENTREPOT_OPS_PORT: String(opsPort),
    ENTREPOT_ADMIN_PASSWORD: adminPassword,
    ...settings,
  };
  const launch = () => launchReady({ command, environment, place });
  let run = await launch().catch(async (error: unknown) => {
    await rm(directory, { recursive: true, force: true });
    throw error;
  });
  const killAtExit = () => findProcesses(run.processes).forEach((pid) => signalProcess(pid, 'SIGKILL'));
  process.once('exit', killAtExit);
  return {
    url: `http://127.0.0.1:${port}`,
    host: `127.0.0.1:${port}`,
    port,
    opsPort,
    adminPassword,
    dataDirectory,
    get pid() {
      return run.processes.groupId;
    },
    output: () => readFileSync(place.outputPath, 'utf8'),
    processes: () => findProcesses(run.processes),
    run: (args, input) => runEntrepot(args, environment, input),
    attempt: (args) => attemptEntrepot(args, environment),
    stop: () => stopRun(run),
    kill: () => killRun(run),
    restart: async () => {
      run = await launch();
    },
    remove: async () => {
      await killRun(run);
      process.off('exit', killAtExit);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** How a command ended that was free to fail. */
export interface Attempt {
  readonly exitCode: number | null;
  /** Standard output. */
  readonly output: string;
  /** Standard error. */
  readonly complaint: string;
}

/** Runs the `entrepot` command with these variables; resolves however it ends. */
export async function attemptEntrepot(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<Attempt> {
  const [program = '', ...before] = ENTREPOT;
  const child = spawn(program, [...before, ...args], {
    cwd: TOP_DIRECTORY,
    env: { ...bareEnvironment(), ...environment },
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  const [output, complaint] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
  return { exitCode: child.exitCode, output, complaint };
}

/** Runs the `entrepot` command with these variables, returns its standard output; rejects unless it ends with 0. */
export async function runEntrepot(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  input = '',
): Promise<string> {
  const { exitCode, output, complaint } = await attemptEntrepot(args, environment, input);
  if (exitCode !== 0) throw new Error(`entrepot ${args.join(' ')} ended with ${exitCode ?? 'a signal'}: ${complaint}`);
  return output;
}

/**
 * A port that nobody listened on a moment ago. It lies below those that Linux gives to outgoing connections (32768 and up),
 * one of which would otherwise have it just when a server that was ended starts again.
 */
export async function findFreePort(): Promise<number> {
  for (;;) {
    const server = createServer();
    try {
      const listening = once(server, 'listening');
      const port = randomInt(LOWEST_PORT, HIGHEST_PORT);
      server.listen(port, '127.0.0.1');
      await listening;
      server.close();
      await once(server, 'close');
      return port;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw error;
    }
  }
}

/** None of this process's settings, but what a shell needs. */
function bareEnvironment(): Record<string, string> {
  const { PATH = '', HOME = '' } = process.env;
  return { PATH, HOME };
}

interface Launch {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  readonly place: { readonly dataDirectory: string; readonly outputPath: string; readonly port: number };
}

interface Run {
  readonly child: ChildProcess;
  readonly processes: ProcessSet;
}

async function makeDirectory(): Promise<string> {
  const directory = await realpath(await mkdtemp(join(tmpdir(), 'entrepot-run-')));
  // Root's Postgres runs as another user and has to pass through.
  await chmod(directory, 0o711);
  return directory;
}

async function launchReady({ command, environment, place }: Launch): Promise<Run> {
  const output = openSync(place.outputPath, 'a');
  const [program = '', ...args] = command;
  const child = spawn(program, args, {
    cwd: TOP_DIRECTORY,
    env: { ...bareEnvironment(), ...environment },
    stdio: ['ignore', output, output],
    detached: true,
  });
  closeSync(output);
  const processes = { groupId: child.pid ?? Number.NaN, directory: place.dataDirectory };
  const run = { child, processes };
  try {
    await untilReady(child, place.port);
    return run;
  } catch (error) {
    await killRun(run);
    throw new Error(`${(error as Error).message}:\n${readFileSync(place.outputPath, 'utf8')}`, { cause: error });
  }
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (hasEnded(child)) throw new Error(`entrepot ended with ${child.signalCode ?? child.exitCode}`);
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
  }
  throw new Error(`entrepot was not ready within ${READY_TIMEOUT_MS / 1000} s`);
}

async function stopRun(run: Run): Promise<number | null> {
  if (!hasEnded(run.child)) {
    const ended = once(run.child, 'exit');
    run.child.kill('SIGTERM');
    await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
  const code = run.child.exitCode;
  await killRun(run);
  return code;
}

async function killRun({ child, processes }: Run): Promise<void> {
  const ended = hasEnded(child) ? undefined : once(child, 'exit');
  // The whole group in one system call, so that none of it sees another one gone.
  signalProcess(-processes.groupId, 'SIGKILL');
  await killProcesses(processes);
  await ended;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}
