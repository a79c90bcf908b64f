import { spawn } from 'node:child_process';
import { once } from 'node:events';

const TIMEOUT_MS = 110_000;

export interface CommandOptions {
  /** Beside PATH; nothing else of this process's environment is passed on. */
  readonly environment?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  readonly directory?: string;
  readonly timeoutMs?: number;
}

/** How a command ended and what it said. */
export interface CommandResult {
  /** The command and its arguments. */
  readonly command: string;
  /** Undefined where a signal, or the time limit, ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** Runs a program to its end, at most for a bounded time. */
export async function runCommand(
  [program = '', ...args]: readonly string[],
  { environment = {}, input = '', directory, timeoutMs = TIMEOUT_MS }: CommandOptions = {},
): Promise<CommandResult> {
  const child = spawn(program, args, {
    env: { PATH: process.env['PATH'] ?? '', ...environment },
    ...(directory !== undefined && { cwd: directory }),
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  let [stdout, output] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => (output += text));
  child.stdin.on('error', () => {});
  child.stdin.end(input);
  await once(child, 'close');
  return { command: [program, ...args].join(' '), code: child.exitCode ?? undefined, stdout, output };
}

/** Runs a program that has to succeed; rejects with what it said otherwise. */
export async function mustRun(command: readonly string[], options?: CommandOptions): Promise<CommandResult> {
  return mustSucceed(await runCommand(command, options));
}

/** Passes a success on; throws what a failure said. */
export function mustSucceed(result: CommandResult): CommandResult {
  const failure = failureOf(result);
  if (failure === undefined) return result;
  throw new Error(failure);
}

/** What a command that failed was and said; undefined for one that succeeded. */
export function failureOf({ command, code, output }: CommandResult): string | undefined {
  return code === 0 ? undefined : `${command} ended with ${code}:\n${output}`;
}
