import { execFile, execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findFreePort } from '../entrepot.js';

const READY_TIMEOUT_MS = 15_000;
const POLL_MS = 25;
const run = promisify(execFile);

export interface RedisOptions {
  /** Lines of a redis.conf: `{ 'maxmemory-policy': 'allkeys-lru' }`. */
  readonly settings?: Readonly<Record<string, string>>;
  readonly password?: string;
  /** PEM texts; the port is then one for TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string };
  readonly isSentinel?: boolean;
}

/** A Redis server in a process of its own, on a free loopback port. It keeps nothing on disk unless told to. */
export interface RedisServer {
  readonly port: number;
  readonly url: string;
  /** Runs a command by `redis-cli` and resolves with what it prints. */
  command(...words: string[]): Promise<string>;
  /** SIGKILL; returns once it is gone. */
  kill(): Promise<void>;
  /** SIGSTOP: connections stay open, and nobody answers. */
  hang(): void;
  resume(): void;
  /** Starts again on the same port; the process must have ended. */
  restart(): Promise<void>;
  /** Ends what runs and deletes its directory. */
  remove(): Promise<void>;
}

/** Whether the programs of Redis are there. Without them tests skip, with a notice; in CI that is an error. */
export function hasRedis(): boolean {
  try {
    execFileSync('redis-server', ['--version'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    if (process.env['CI'] === 'true') throw new Error('redis-server is not installed', { cause: error });
    process.stderr.write('redis-server is not installed: tests with a Redis are skipped\n');
    return false;
  }
}

/** Starts a Redis and returns once it answers. */
export async function startRedis(options: RedisOptions = {}): Promise<RedisServer> {
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-redis-'));
  const port = await findFreePort();
  const configPath = join(directory, 'redis.conf');
  await writeFile(configPath, await configuration(options, directory, port));
  const args = [configPath, ...(options.isSentinel ? ['--sentinel'] : [])];
  const command = commandLine(options, port);
  const launch = async (): Promise<ChildProcess> => {
    const child = spawn('redis-server', args, { stdio: 'ignore' });
    await untilAnswered(child, command);
    return child;
  };
  let child = await launch();
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  return {
    port,
    url: `${options.tls ? 'rediss' : 'redis'}://${options.password ? `:${options.password}@` : ''}127.0.0.1:${port}`,
    command,
    kill: () => endProcess(child),
    hang: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    async restart() {
      child = await launch();
    },
    async remove() {
      process.off('exit', killAtExit);
      await endProcess(child);
      await rm(directory, { recursive: true, force: true });
    },
  };
}

async function configuration({ settings, password, tls, isSentinel }: RedisOptions, directory: string, port: number) {
  const lines: Record<string, string> = {
    bind: '127.0.0.1',
    dir: directory,
    ...(tls ? { port: '0', 'tls-port': `${port}`, 'tls-auth-clients': 'no' } : { port: `${port}` }),
    ...(!isSentinel && { save: '""' }),
    ...(password && { requirepass: password }),
    ...settings,
  };
  for (const [name, text] of Object.entries(tls ? { cert: tls.certificate, key: tls.key } : {})) {
    const path = join(directory, `${name}.pem`);
    await writeFile(path, text);
    lines[`tls-${name}-file`] = path;
    // Redis asks for authorities even where no client has a certificate.
    if (name === 'cert') lines['tls-ca-cert-file'] = path;
  }
  return Object.entries(lines)
    .map(([name, value]) => `${name} ${value}\n`)
    .join('');
}

function commandLine({ password, tls }: RedisOptions, port: number): RedisServer['command'] {
  const login = password ? ['--no-auth-warning', '-a', password] : [];
  const encryption = tls ? ['--tls', '--insecure'] : [];
  return async (...words) =>
    (await run('redis-cli', ['-p', `${port}`, ...login, ...encryption, ...words])).stdout.trim();
}

async function untilAnswered(child: ChildProcess, command: RedisServer['command']): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (child.exitCode !== null) throw new Error(`redis-server ended with ${child.exitCode}`);
    const answer = await command('PING').catch(() => '');
    if (answer === 'PONG') return;
  }
  throw new Error('redis-server did not answer');
}

async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  child.kill('SIGKILL');
  await ended;
}
