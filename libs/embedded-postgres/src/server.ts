import { spawn } from 'node:child_process';
import { closeSync, fchownSync, openSync, readFileSync, renameSync, statSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { programEnvironment } from './cluster.js';
import type { Installation } from './cluster.js';
import { DATABASE, serverPaths } from './connection.js';
import type { PostgresConnection } from './connection.js';
import { PostgresError } from './postgres-error.js';
import { serverArguments } from './settings.js';
import type { ServerSettings } from './settings.js';

const LOG_LIMIT_BYTES = 8 * 1024 * 1024;
const POLL_MS = 10;
const STOP_PATIENCE_MS = 20_000;
/** SQLSTATE classes of a server that lives and does not take connections yet: starting up, too many clients. */
const NOT_YET = new Set(['57P03', '53300']);

/** One run of the server's first process. */
export interface ServerRun {
  readonly pid: number | undefined;
  /** How it ended, such as `signal SIGKILL`; it never rejects. */
  readonly ended: Promise<string>;
  hasEnded(): boolean;
  /** Lines that it wrote since it was launched, at most the last eight. */
  logTail(): string[];
}

/** Launches the server in a session of its own: a Ctrl-C in the terminal must reach only this process. */
export function launchServer(installation: Installation, settings: ServerSettings): ServerRun {
  const { directory, binaries, identity } = installation;
  const paths = serverPaths(directory);
  const log = openLog(paths.log, identity);
  const logStart = statSync(paths.log).size;
  const parameters = serverArguments(paths.cluster, settings);
  const [program = '', ...args] = [...identity.prefix, binaries.postgres, ...parameters];
  const child = spawn(program, args, {
    ...identity.spawnAs,
    env: programEnvironment(directory),
    detached: true,
    stdio: ['ignore', log, log],
  });
  closeSync(log);
  let hasEnded = false;
  const ended = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `signal ${signal}`));
  }).finally(() => (hasEnded = true));
  return {
    pid: child.pid,
    ended,
    hasEnded: () => hasEnded,
    logTail: () => readFileSync(paths.log).subarray(logStart).toString().trim().split('\n').filter(Boolean).slice(-8),
  };
}

/**
 * Waits until the server answers (a recovery after a crash may take a while) and has the product's database.
 * Throws `PostgresError` with the server's last lines when it ends before, or after `timeoutMs`.
 */
export async function untilReady(run: ServerRun, connection: PostgresConnection, timeoutMs: number): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!(await answers(connection))) {
    if (run.hasEnded()) throw new PostgresError(`Postgres ended at once (${await run.ended})`, run.logTail());
    if (performance.now() > deadline) {
      throw new PostgresError(`Postgres is not ready after ${timeoutMs / 1000} s`, run.logTail());
    }
    await delay(POLL_MS);
  }
}

/** Stops the server: open transactions are rolled back, and everything acknowledged is on disk when it returns. */
export async function stopServer(run: ServerRun): Promise<void> {
  for (const signal of ['SIGINT', 'SIGQUIT', 'SIGKILL'] as const) {
    if (run.pid === undefined || run.hasEnded()) return;
    process.kill(run.pid, signal);
    const patience = new AbortController();
    await Promise.race([run.ended, delay(STOP_PATIENCE_MS, undefined, { signal: patience.signal }).catch(() => {})]);
    patience.abort();
  }
}

async function answers(connection: PostgresConnection): Promise<boolean> {
  const client = new Client({ ...connection, database: 'postgres' });
  // The connection may be cut while nothing is asked; the next question then fails, and that is enough.
  client.on('error', () => {});
  try {
    await client.connect();
    const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
    if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
    return true;
  } catch (error) {
    const { code = '' } = error as { code?: string };
    // Errors of the socket (ENOENT, ECONNREFUSED, ECONNRESET) mean the same as NOT_YET.
    if (NOT_YET.has(code) || /^E[A-Z]+$/.test(code) || code === '') return false;
    throw new PostgresError(`Postgres refuses its own owner: ${(error as Error).message}`, [], error);
  } finally {
    await client.end().catch(() => {});
  }
}

function openLog(path: string, { uid, gid }: Installation['identity']): number {
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > LOG_LIMIT_BYTES) renameSync(path, `${path}.1`);
  const descriptor = openSync(path, 'a', 0o600);
  fchownSync(descriptor, uid, gid);
  return descriptor;
}
