import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';
import { hasProgram } from './tool-cache.js';

const READY_TIMEOUT_MS = 60_000;
const POLL_MS = 20;
const KEPT_OUTPUT_CHARACTERS = 8_192;

/** A process that never outlives the one that started it. */
export interface TiedProcess {
  readonly pid: number;
  /** The next line of standard output; rejects, with what it wrote, where the process ends before. */
  nextLine(): Promise<string>;
  /** Resolves once `isReady` says so; rejects, with what it wrote, where the process ends before. */
  until(isReady: () => Promise<boolean>): Promise<void>;
  /** SIGKILL, and returns when it is gone. */
  kill(): Promise<void>;
}

/** Starts a server that has only throw-away data, and is killed with the calling process, however that ends. */
export function startTied(command: readonly string[], environment: Readonly<Record<string, string>> = {}): TiedProcess {
  // Linux kills it even when nobody is left to ask for that; elsewhere the exit handler has to do.
  const tied = hasProgram('setpriv') ? ['setpriv', '--pdeathsig', 'KILL', ...command] : command;
  const [program = '', ...args] = tied;
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(program, args, { env: { PATH, HOME, ...environment }, stdio: ['ignore', 'pipe', 'pipe'] });
  const killAtExit = () => void child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  const output = collectOutput(child);
  const ended = endOf(child, output);
  ended.catch(() => {});
  const lines = createInterface({ input: child.stdout });
  return {
    pid: child.pid ?? Number.NaN,
    nextLine: async () => {
      const [line] = (await Promise.race([once(lines, 'line'), ended, timeLimit(command)])) as [string];
      return line;
    },
    until: (isReady) => Promise.race([pollUntil(isReady), ended, timeLimit(command)]),
    kill: async () => {
      child.kill('SIGKILL');
      await ended.catch(() => {});
    },
  };
}

/** The end of what was written so far, to both outputs. */
function collectOutput(child: ChildProcess): () => string {
  let kept = '';
  const keep = (chunk: Buffer) => {
    kept = (kept + chunk.toString()).slice(-KEPT_OUTPUT_CHARACTERS);
  };
  child.stdout?.on('data', keep);
  child.stderr?.on('data', keep);
  return () => kept;
}

async function endOf(child: ChildProcess, output: () => string): Promise<never> {
  await once(child, 'close');
  throw new Error(`${child.spawnargs.join(' ')} ended with ${child.signalCode ?? child.exitCode}:\n${output()}`);
}

async function pollUntil(isReady: () => Promise<boolean>): Promise<void> {
  while (!(await isReady())) await delay(POLL_MS);
}

async function timeLimit(command: readonly string[]): Promise<never> {
  await delay(READY_TIMEOUT_MS, undefined, { ref: false });
  throw new Error(`${command.join(' ')} was not ready within ${READY_TIMEOUT_MS / 1000} s`);
}
