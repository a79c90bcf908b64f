import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { CommandFailure } from '../exit-codes.js';
import { lockDirectory } from './directory-lock.js';

/** Paths below the data directory of a standalone Entrepot. */
export function dataPaths(dir: string) {
  const top = resolve(dir);
  return {
    top,
    lock: join(top, 'lock'),
    postgres: join(top, 'postgres'),
    secrets: join(top, 'secrets'),
    storage: join(top, 'storage'),
  };
}

export type DataPaths = ReturnType<typeof dataPaths>;

/** A data directory that this process owns until `release`. */
export interface DataDirectory {
  readonly paths: DataPaths;
  release(): void;
}

export interface DataDirectoryOptions {
  readonly dir: string;
  /** Free bytes that the disk must have; 0 asks for none. */
  readonly minFreeBytes: number;
}

/** Creates the data directory where it is missing and takes it. Throws `CommandFailure`. */
export function openDataDirectory({ dir, minFreeBytes }: DataDirectoryOptions): DataDirectory {
  const paths = dataPaths(dir);
  try {
    // Root's Postgres runs as another user and has to pass through; what lies inside is closed by itself.
    makeDirectory(paths.top, process.getuid?.() === 0 ? 0o711 : 0o700);
    const lock = lockDirectory(paths.lock);
    if ('ownerPid' in lock) throw ownedByAnother(paths.top, lock.ownerPid);
    try {
      refuseFullDisk(paths.top, minFreeBytes);
      writeProbe(join(paths.top, '.probe'));
    } catch (error) {
      lock.release();
      throw error;
    }
    return { paths, release: lock.release };
  } catch (error) {
    throw error instanceof CommandFailure ? error : explain(paths.top, error as NodeJS.ErrnoException);
  }
}

/** Node's own recursive form never returns where the parent exists and takes no entries, as /proc does. */
function makeDirectory(path: string, mode: number): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path), 0o755);
  mkdirSync(path, { mode });
}

function ownedByAnother(top: string, ownerPid: number | undefined): CommandFailure {
  const owner = ownerPid === undefined ? 'another instance' : `another instance (pid ${ownerPid})`;
  return new CommandFailure('owned', `${owner} owns ${top}; stop it or set ENTREPOT_DATA_DIR to another directory`);
}

function refuseFullDisk(top: string, minFreeBytes: number): void {
  const { bavail, bsize } = statfsSync(top);
  if (bavail * bsize >= minFreeBytes) return;
  const advice = 'free some space, or set ENTREPOT_DATA_DIR to another disk (or ENTREPOT_DATA_MIN_FREE to less)';
  throw new CommandFailure(
    'diskFull',
    `the disk of ${top} is full: ${mebibytes(bavail * bsize)} free, ${mebibytes(minFreeBytes)} needed; ${advice}`,
  );
}

/** A quota, a read-only mount or a disk without inodes shows itself only when something is written. */
function writeProbe(path: string): void {
  const descriptor = openSync(path, 'w', 0o600);
  try {
    writeSync(descriptor, Buffer.alloc(4096, 1));
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
    rmSync(path, { force: true });
  }
}

function explain(top: string, error: NodeJS.ErrnoException): CommandFailure {
  if (error.code === 'ENOSPC' || error.code === 'EDQUOT') {
    const advice = 'free some space, or set ENTREPOT_DATA_DIR to another disk';
    return new CommandFailure('diskFull', `the disk of ${top} is full (${error.code}); ${advice}`, { cause: error });
  }
  const advice = 'make it so, or set ENTREPOT_DATA_DIR to another directory';
  const user = `user ${process.getuid?.()}`;
  const message = `the data directory ${top} is not writable by ${user} (${error.code ?? error.message}); ${advice}`;
  return new CommandFailure('directory', message, { cause: error });
}

function mebibytes(sizeBytes: number): string {
  return `${Math.floor(sizeBytes / 2 ** 20)} MiB`;
}
