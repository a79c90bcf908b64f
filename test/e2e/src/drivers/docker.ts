import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { endChild } from '@entrepot/testkit/processes';
import { runCommand, type CommandResult } from '../world/run-command.js';
import type { ClientKind } from './client.js';

const READY_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 30_000;
const POLL_MS = 100;

/** A docker engine of its own, and how to run docker against it. */
export interface DockerEngine {
  run(args: readonly string[], options?: { input?: string | Buffer; home?: string }): Promise<CommandResult>;
  stop(): Promise<void>;
}

/** Starts an engine that keeps everything below `directory` and touches no network but loopback. */
export async function startDockerEngine(directory: string): Promise<DockerEngine> {
  const socket = `unix://${join(directory, 'docker.sock')}`;
  const logFile = join(directory, 'dockerd.log');
  const log = openSync(logFile, 'a');
  const child = spawn('dockerd', engineArguments(directory, socket), { stdio: ['ignore', log, log] });
  closeSync(log);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const run: DockerEngine['run'] = (args, { input, home = join(directory, 'home') } = {}) => {
    const environment = { DOCKER_HOST: socket, DOCKER_CONFIG: home, DOCKER_BUILDKIT: '0', HOME: home };
    return runCommand(['docker', ...args], { environment, ...(input !== undefined && { input }) });
  };
  const stop = async () => {
    await endChild(child, STOP_TIMEOUT_MS);
    process.off('exit', killAtExit);
  };
  try {
    await untilReady(child, run);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}:\n${readFileSync(logFile, 'utf8')}`, { cause: error });
  }
  return { run, stop };
}

function engineArguments(directory: string, socket: string): string[] {
  return [
    '--storage-driver=vfs',
    '--bridge=none',
    '--iptables=false',
    '--ip6tables=false',
    `--host=${socket}`,
    `--data-root=${join(directory, 'data')}`,
    `--exec-root=${join(directory, 'exec')}`,
    `--pidfile=${join(directory, 'dockerd.pid')}`,
  ];
}

async function untilReady(child: ChildProcess, run: DockerEngine['run']): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('dockerd ended');
    if ((await run(['version', '--format', '{{.Server.Version}}'])).code === 0) return;
  }
  throw new Error('dockerd is not ready');
}

/** Docker clients of one engine. Images are imported from their layers, since an engine reads no OCI layout. */
export function dockerOf(engine: () => DockerEngine): ClientKind {
  return {
    name: 'docker',
    programs: ['docker', 'dockerd'],
    create(home) {
      const run = (args: readonly string[], input?: string) =>
        engine().run(args, { home, ...(input !== undefined && { input }) });
      return {
        login: (host, { name, password }) => run(['login', '--username', name, '--password-stdin', host], password),
        logout: (host) => run(['logout', host]),
        push: async ({ images, directory }, reference) => {
          const digest = images[0]?.layers[0]?.digest.slice(7) ?? '';
          const layer = join(directory, 'blobs', 'sha256', digest);
          const imported = await run(['import', '--change', `LABEL for=${reference}`, layer, reference]);
          return imported.code === 0 ? run(['push', reference]) : imported;
        },
        pull: async (reference) => {
          await run(['rmi', '--force', reference]);
          return run(['pull', reference]);
        },
      };
    },
  };
}
