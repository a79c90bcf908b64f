import { statfsSync } from 'node:fs';
import { runCommand } from './run-command.js';

const TMPFS_MAGIC = 0x01021994;

/** Writes back what earlier work left in the page cache, so that the next measurement does not pay for it. */
export async function settleDisk(directory: string): Promise<void> {
  await runCommand('sync', ['--file-system', directory], { timeoutMs: 300_000 });
}

/** Whether the directory lies in memory, where a durable write costs nothing and means nothing. */
export function isInMemory(directory: string): boolean {
  return statfsSync(directory).type === TMPFS_MAGIC;
}

export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
