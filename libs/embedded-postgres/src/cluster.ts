import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { PostgresBinaries } from './binaries.js';
import { OWNER, serverPaths } from './connection.js';
import type { PostgresIdentity } from './identity.js';
import { endCreation } from './leftover.js';
import { PostgresError } from './postgres-error.js';

/** Version of the files on disk that the packaged server reads. */
const MAJOR_VERSION = '18';

/** What the programs of Postgres need to run in this place. */
export interface Installation {
  /** Absolute, without symbolic links. */
  readonly directory: string;
  readonly binaries: PostgresBinaries;
  readonly identity: PostgresIdentity;
}

/** Environment of every Postgres program: its libraries, and none of our own settings, which hold secrets. */
export function programEnvironment(directory: string): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], LD_LIBRARY_PATH: serverPaths(directory).libraries, LC_ALL: 'C', TZ: 'UTC' };
}

/**
 * Creates the cluster when it is missing, and returns the owner's password. A creation that was cut off is begun anew:
 * the cluster gets its name only once it is whole and on disk.
 */
export async function prepareCluster(installation: Installation, isDurable: boolean): Promise<string> {
  const { directory, identity } = installation;
  const paths = serverPaths(directory);
  if (existsSync(paths.cluster)) {
    refuseOtherVersion(paths.cluster);
    return readFileSync(paths.password, 'utf8').trim();
  }
  await endCreation([directory, paths.unfinishedCluster]);
  rmSync(paths.unfinishedCluster, { recursive: true, force: true });
  const password = randomBytes(24).toString('base64url');
  writeFileSync(paths.password, `${password}\n`, { mode: 0o600, flush: true });
  chownSync(paths.password, identity.uid, identity.gid);
  await runInitdb(installation, isDurable);
  renameSync(paths.unfinishedCluster, paths.cluster);
  if (isDurable) syncDirectory(directory);
  return password;
}

/** Makes the server's own directory, closed to everybody but its owner. */
export function makeServerDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true });
  chmodSync(directory, 0o700);
}

async function runInitdb({ directory, binaries, identity }: Installation, isDurable: boolean): Promise<void> {
  const paths = serverPaths(directory);
  const options = ['--auth=scram-sha-256', `--pwfile=${paths.password}`, `--username=${OWNER}`, '--encoding=UTF8'];
  // The built-in provider sorts the same on every machine; the collations of libc differ between its versions.
  const locale = ['--locale=C', '--locale-provider=builtin', '--builtin-locale=C.UTF-8'];
  const [program = '', ...args] = [...identity.prefix, binaries.initdb, ...options, ...locale];
  const sync = isDurable ? [] : ['--no-sync'];
  const child = spawn(program, [...args, ...sync, '-D', paths.unfinishedCluster], {
    ...identity.spawnAs,
    // Where `endCreation` looks for it.
    cwd: directory,
    env: programEnvironment(directory),
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => output.push(chunk.toString()));
  const status = await new Promise<number | string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'killed'));
  });
  if (status === 0) return;
  const lines = output.join('').trim().split('\n').slice(-8);
  throw new PostgresError(`initdb could not create ${paths.cluster} (${status}); its last lines follow`, lines);
}

function refuseOtherVersion(cluster: string): void {
  const found = readFileSync(join(cluster, 'PG_VERSION'), 'utf8').trim();
  if (found === MAJOR_VERSION) return;
  throw new PostgresError(
    `${cluster} was made by Postgres ${found} and this is Postgres ${MAJOR_VERSION}: ` +
      'start the Entrepot version that made it, or move the data to a server named by ENTREPOT_DATABASE_URL',
  );
}

function syncDirectory(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}
