import { readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { PostgresError } from './postgres-error.js';

const POLL_MS = 10;
const CREATION_PATIENCE_MS = 5_000;

/** Signals that end a Postgres server, gentlest first, and how long each may take. */
const ENDINGS: readonly { signal: NodeJS.Signals; patienceMs: number }[] = [
  { signal: 'SIGINT', patienceMs: 20_000 },
  { signal: 'SIGQUIT', patienceMs: 5_000 },
  { signal: 'SIGKILL', patienceMs: 5_000 },
];

/**
 * Ends every Postgres process that still works in `cluster`, and removes the mark that a killed one left. The caller
 * must own the data directory; then whatever runs here belonged to an Entrepot that is gone.
 *
 * Processes are found by their working directory, not by the number in `postmaster.pid`: after a restart of the machine
 * or the container that number may be another program's, which Postgres itself would take for a running server.
 */
export async function endLeftover(cluster: string): Promise<void> {
  for (const { signal, patienceMs } of ENDINGS) {
    const found = processesIn(cluster);
    if (found.length === 0) break;
    const postmaster = found.find((pid) => pid === postmasterPid(cluster));
    // Without its postmaster a backend ends by itself as soon as it notices.
    for (const pid of postmaster === undefined ? found : [postmaster]) kill(pid, signal);
    await untilGone(cluster, patienceMs);
  }
  const rest = processesIn(cluster);
  if (rest.length > 0) {
    throw new PostgresError(`process ${rest.join(', ')} still uses ${cluster} and cannot be stopped; stop it first`);
  }
  rmSync(join(cluster, 'postmaster.pid'), { force: true });
}

/**
 * Ends the creation of a cluster that an Entrepot which is gone has begun, so that nothing writes into what is begun anew.
 * `initdb` works in one of these directories and the programs that it runs in another.
 */
export async function endCreation(directories: readonly string[]): Promise<void> {
  for (let waitedMs = 0; waitedMs < CREATION_PATIENCE_MS; waitedMs += POLL_MS) {
    const found = directories.flatMap(processesIn);
    if (found.length === 0) return;
    for (const pid of found) kill(pid, 'SIGKILL');
    await delay(POLL_MS);
  }
  throw new PostgresError(`an earlier initdb in ${directories[0]} cannot be stopped; stop it first`);
}

/** Ids of the processes that work in the directory: in a cluster, a postmaster and all its children. */
function processesIn(directory: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingDirectory(name) === directory)
    .map(Number);
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    return undefined;
  }
}

function postmasterPid(cluster: string): number | undefined {
  try {
    return Number(readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')[0]);
  } catch {
    return undefined;
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function untilGone(cluster: string, patienceMs: number): Promise<void> {
  for (let waitedMs = 0; waitedMs < patienceMs && processesIn(cluster).length > 0; waitedMs += POLL_MS) {
    await delay(POLL_MS);
  }
}
