import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Whether the program can be run. */
export function findTool(program: string): boolean {
  return (process.env['PATH'] ?? '').split(delimiter).some((directory) => existsSync(join(directory, program)));
}

/**
 * What is missing of the programs that a suite needs: undefined where nothing is. On a laptop the suite is skipped with a
 * notice; in CI (`CI=true`) it is not asked for, and fails.
 */
export function isSkipped(suite: string, programs: readonly string[]): boolean {
  const missing = programs.filter((program) => !findTool(program));
  if (missing.length === 0) return false;
  if (process.env['CI'] === 'true') return false;
  console.warn(`${suite} is skipped: not installed here: ${missing.join(', ')}`);
  return true;
}
