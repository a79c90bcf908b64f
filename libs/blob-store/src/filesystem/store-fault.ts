import { StoreFull, StoreUnavailable } from '@entrepot/content';

const ADVICE: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full; free space or enlarge the volume',
  EDQUOT: 'the disk quota is used up; raise it or free space',
  EROFS: 'the file system is read-only, often after a disk error; see the kernel log, repair and mount it again',
  EIO: 'the disk reports an I/O error; see the kernel log before anything else',
  EMFILE: 'this process has too many files open; raise its limit (ulimit -n)',
  ENFILE: 'the machine has too many files open; raise fs.file-max',
  EACCES: 'not permitted; give the directory to the user that runs the registry',
  EPERM: 'not permitted; give the directory to the user that runs the registry',
  ENOENT: 'the directory is not there; is the volume mounted?',
  ENOTDIR: 'a file is where a directory is expected',
  ESTALE: 'the network file system lost the file; mount it again',
};

/** There is no room; time alone does not make any. */
const FULL = new Set(['ENOSPC', 'EDQUOT']);

/** The system's code of an error (`ENOENT`), or undefined for any other kind of error. */
export function systemCode(error: unknown): string | undefined {
  const isSystemError = error instanceof Error && 'code' in error && 'syscall' in error;
  return isSystemError && typeof error.code === 'string' ? error.code : undefined;
}

/** What a failed system call means to callers: `StoreUnavailable` saying what to do. Other errors are handed back. */
export function storeFault(error: unknown, root: string): unknown {
  const code = systemCode(error);
  if (code === undefined) return error;
  const Fault = FULL.has(code) ? StoreFull : StoreUnavailable;
  return new Fault(`storage in ${root}: ${ADVICE[code] ?? 'a system call failed'} (${code})`, { cause: error });
}

/** Resolves with undefined where there is no such file or directory. */
export async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined;
    throw error;
  }
}
