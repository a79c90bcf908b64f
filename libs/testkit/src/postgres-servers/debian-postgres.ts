import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { chmod, chown, mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';

const VERSIONS = '/usr/lib/postgresql';
const READY_TIMEOUT_MS = 30_000;
const POLL_MS = 50;

/** Directory of the programs of Debian's newest Postgres; undefined without one. */
export function findPrograms(): string | undefined {
  const versions = existsSync(VERSIONS) ? readdirSync(VERSIONS).sort((a, b) => Number(b) - Number(a)) : [];
  return versions.map((version) => join(VERSIONS, version, 'bin')).find((path) => existsSync(join(path, 'postgres')));
}

/** Says whether what tests need is there. Without it they skip, with a notice; in CI that is an error. */
export function isPresent(what: string, isThere: boolean): boolean {
  if (isThere) return true;
  if (process.env['CI'] === 'true') throw new Error(`${what} is not installed`);
  process.stderr.write(`${what} is not installed: tests with it are skipped\n`);
  return false;
}

/** Whom servers run as that refuse to be root: the user of Debian's package, or whoever runs the tests. */
export function unprivileged(): { uid?: number; gid?: number } {
  if (process.getuid?.() !== 0) return {};
  return { uid: idOfPostgres('-u'), gid: idOfPostgres('-g') };
}

function idOfPostgres(option: '-u' | '-g'): number {
  return Number(execFileSync('id', [option, 'postgres'], { encoding: 'utf8' }));
}

/** A new directory that belongs to whom the servers run as. */
export async function makeServerDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-servers-'));
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) await chown(directory, uid, gid);
  await chmod(directory, 0o755);
  return directory;
}

/** Runs a program of Postgres to its end; rejects with what it wrote where it fails. */
export async function runProgram(program: string, args: readonly string[]): Promise<void> {
  const child = spawn(program, args, { ...unprivileged(), cwd: '/', stdio: ['ignore', 'ignore', 'pipe'] });
  let complaint = '';
  child.stderr.on('data', (chunk: Buffer) => (complaint += chunk.toString()));
  const [code] = (await once(child, 'close')) as [number | null];
  if (code !== 0) throw new Error(`${program} ended with ${code}: ${complaint}`);
}

/** Starts a server and returns once the URL answers a query. */
export async function launchServer(program: string, args: readonly string[], url: string): Promise<ChildProcess> {
  const child = spawn(program, args, { ...unprivileged(), cwd: '/', stdio: 'ignore' });
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  child.once('exit', () => process.off('exit', killAtExit));
  for (const deadlineMs = performance.now() + READY_TIMEOUT_MS; ; await delay(POLL_MS)) {
    const answer = await ask(url, 'SELECT 1').catch((error: unknown) => error);
    if (!(answer instanceof Error)) return child;
    if (child.exitCode !== null || performance.now() > deadlineMs) {
      child.kill('SIGKILL');
      throw new Error(`${program} does not answer`, { cause: answer });
    }
  }
}

/** SIGINT, a fast shutdown, or another signal; returns once the server is gone. */
export async function endServer(child: ChildProcess, signal: NodeJS.Signals = 'SIGINT'): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill(signal);
  await ended;
}

/** One statement on a connection of its own. */
export async function ask(url: string, statement: string): Promise<Record<string, unknown>[]> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 5_000 });
  client.on('error', () => {});
  try {
    await client.connect();
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end().catch(() => {});
  }
}
