import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Runs a program to its end and gives what it wrote to standard output. Rejects with its last words otherwise. */
export async function runCommand(
  program: string,
  parameters: readonly string[],
  options: { readonly timeoutMs?: number; readonly environment?: NodeJS.ProcessEnv } = {},
): Promise<string> {
  try {
    const { stdout } = await execute(program, parameters, {
      timeout: options.timeoutMs ?? 60_000,
      env: { ...process.env, ...options.environment },
      maxBuffer: 16 * 1024 * 1024,
    });
    return stdout;
  } catch (cause) {
    const said = (cause as { stderr?: string }).stderr?.trim().split('\n').slice(-5).join('\n');
    throw new Error(`${program} failed${said ? `: ${said}` : ''}`, { cause });
  }
}

/** Whether a program of this name is to be had, by asking it for its version. */
export function hasProgram(program: string, versionFlag = '--version'): boolean {
  return spawnSync(program, [versionFlag], { stdio: 'ignore' }).error === undefined;
}
