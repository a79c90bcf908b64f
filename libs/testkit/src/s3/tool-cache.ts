import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const CACHE = join(process.env['XDG_CACHE_HOME'] || join(homedir(), '.cache'), 'entrepot-testkit');
const BUILD_TIMEOUT_MS = 9 * 60_000;
const LARGEST_OUTPUT_BYTES = 16 * 2 ** 20;

const execute = promisify(execFile);

/** Where what is built under this name is kept between runs. */
export function cachedPath(name: string): string {
  return join(CACHE, name);
}

/**
 * The directory of that name in the cache, filled by `build` where there is none. It appears whole or not at all; of two
 * that are built at the same time the first one stays.
 */
export async function keepInCache(name: string, build: (directory: string) => Promise<void>): Promise<string> {
  const kept = cachedPath(name);
  if (existsSync(kept)) return kept;
  await mkdir(dirname(kept), { recursive: true });
  const directory = await mkdtemp(`${kept}.building-`);
  try {
    await build(directory);
    await rename(directory, kept).catch((error: unknown) => {
      if (!existsSync(kept)) throw error;
    });
    return kept;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** Runs a program to its end and returns its standard output; rejects with what it complained about. */
export async function runProgram(
  program: string,
  args: readonly string[],
  { directory, environment }: { directory?: string; environment?: Readonly<Record<string, string>> } = {},
): Promise<string> {
  const { stdout } = await execute(program, args, {
    cwd: directory,
    env: { ...process.env, ...environment },
    timeout: BUILD_TIMEOUT_MS,
    maxBuffer: LARGEST_OUTPUT_BYTES,
  });
  return stdout;
}

/** Whether the program can be run. */
export function hasProgram(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}
