import { existsSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where Debian has servers, which is not on the PATH of everybody. */
const SERVERS = '/usr/sbin';

/** Whether the program can be run. */
export function findTool(program: string): boolean {
  const directories = [...(process.env['PATH'] ?? '').split(delimiter), SERVERS];
  return directories.some((directory) => existsSync(join(directory, program)));
}

/**
 * Whether a suite is skipped because programs that it needs are missing, or because only root can run them. On a laptop it
 * is, with a notice; in CI (`CI=true`) it never is, and fails.
 */
export function isSkipped(suite: string, programs: readonly string[], { needsRoot = false } = {}): boolean {
  const missing = programs.filter((program) => !findTool(program)).map((program) => `no ${program}`);
  if (needsRoot && process.getuid?.() !== 0) missing.push('not root');
  if (missing.length === 0 || process.env['CI'] === 'true') return false;
  console.warn(`${suite} is skipped here: ${missing.join(', ')}`);
  return true;
}
