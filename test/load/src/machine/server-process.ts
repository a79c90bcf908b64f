import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { processTree } from './process-tree.js';

const READY_TIMEOUT_MS = 120_000;
const STOP_TIMEOUT_MS = 20_000;
const POLL_INTERVAL_MS = 5;

/** How to start a server and where it will answer. */
export interface ServerCommand {
  readonly program: string;
  readonly parameters: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  /** Where it works; its output goes to `server.log` there. */
  readonly directory: string;
  /** Any answer but a 5xx from here says that it is ready. */
  readonly readyUrl: string;
}

/** A server that answers. */
export interface ServerProcess {
  /** From the start of the process to the first answer. */
  readonly readyMs: number;
  /** The ids of all its processes. */
  pids(): readonly number[];
  /** Asks it to end, and ends what is left of its processes after a bound. */
  stop(): Promise<void>;
}

/** How to stop each server of this process that runs. */
const stops = new Set<() => Promise<void>>();

/** Stops whatever `startServer` started and nobody stopped yet. */
export async function stopAllServers(): Promise<void> {
  await Promise.all([...stops].map((stop) => stop()));
}

/** Starts a server and waits for its first answer. Rejects with the end of its log when it ends or stays silent. */
export async function startServer(command: ServerCommand): Promise<ServerProcess> {
  const logFile = join(command.directory, 'server.log');
  const log = openSync(logFile, 'a');
  const startedAt = performance.now();
  const child = spawn(command.program, command.parameters, {
    cwd: command.directory,
    env: { ...process.env, ...command.environment },
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  const pid = await pidOf(child);
  const pids = () => processTree(pid, command.directory);
  const stop = async () => {
    await stopServer(child, pids);
    stops.delete(stop);
  };
  stops.add(stop);
  try {
    await untilAnswers(child, command.readyUrl);
  } catch (cause) {
    await stop();
    const lastWords = readFileSync(logFile, 'utf8').trim().split('\n').slice(-5).join('\n');
    throw new Error(`${command.program}: ${(cause as Error).message}\n${lastWords}`, { cause });
  }
  return { readyMs: performance.now() - startedAt, pids, stop };
}

async function pidOf(child: ChildProcess): Promise<number> {
  if (child.pid === undefined) await once(child, 'spawn');
  return child.pid ?? Number.NaN;
}

async function untilAnswers(child: ChildProcess, url: string): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline;) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('ended before it answered');
    if (await answers(url)) return;
    await delay(POLL_INTERVAL_MS);
  }
  throw new Error(`did not answer within ${READY_TIMEOUT_MS / 1000} s`);
}

function answers(url: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(url, { agent: false, timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve((answer.statusCode ?? 500) < 500);
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}

async function stopServer(child: ChildProcess, pids: () => readonly number[]): Promise<void> {
  const before = pids();
  if (child.exitCode === null && child.signalCode === null) {
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await Promise.race([ended, delay(STOP_TIMEOUT_MS, undefined, { ref: false })]);
  }
  for (const pid of new Set([...before, ...pids()])) killIfAlive(pid);
}

function killIfAlive(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== 'ESRCH') throw cause;
  }
}
