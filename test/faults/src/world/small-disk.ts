import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A file system of its own, in memory. */
export interface SmallDisk {
  readonly directory: string;
  remove(): void;
}

/** Mounts a file system of that size; only root can. */
export function mountSmallDisk({ sizeBytes }: { sizeBytes: number }): SmallDisk {
  const directory = mkdtempSync(join(tmpdir(), 'entrepot-disk-'));
  run('mount', ['-t', 'tmpfs', '-o', `size=${sizeBytes},mode=711`, 'tmpfs', directory]);
  return {
    directory,
    remove: () => {
      run('umount', [directory]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function run(program: string, args: readonly string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
