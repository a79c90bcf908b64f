import { spawnSync } from 'node:child_process';
import { closeSync, fchmodSync, ftruncateSync, openSync, readFileSync, writeSync } from 'node:fs';
import { CommandFailure } from '../exit-codes.js';

export interface DirectoryLock {
  release(): void;
}

/**
 * Takes the lock file for this process, or returns the process id of its owner (undefined where that is not known yet).
 *
 * The lock is the kernel's (`flock`), bound to the open file: it ends with this process however that dies, two starters
 * cannot both have it, and it holds between containers that share the directory. Node cannot ask for it, so the `flock`
 * program takes it on our descriptor, which shares one open file with it, and leaves.
 */
export function lockDirectory(path: string): DirectoryLock | { readonly ownerPid: number | undefined } {
  const descriptor = openSync(path, 'a+', 0o600);
  const taken = spawnSync('flock', ['-n', '3'], { stdio: ['ignore', 'ignore', 'ignore', descriptor] });
  if (taken.error !== undefined) {
    closeSync(descriptor);
    throw new CommandFailure('unavailable', 'the program flock was not found; install util-linux', {
      cause: taken.error,
    });
  }
  if (taken.status !== 0) {
    closeSync(descriptor);
    return { ownerPid: Number(readFileSync(path, 'utf8')) || undefined };
  }
  fchmodSync(descriptor, 0o600);
  ftruncateSync(descriptor);
  writeSync(descriptor, `${process.pid}\n`);
  return { release: () => closeSync(descriptor) };
}
