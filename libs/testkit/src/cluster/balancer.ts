import { spawn, type ChildProcess } from 'node:child_process';
import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { endChild } from '../processes.js';

const SHIPPED = fileURLToPath(new URL('../../../../deploy/nginx/entrepot.conf', import.meta.url));
const READY_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 10_000;
const POLL_MS = 50;

export interface BalancerOptions {
  readonly directory: string;
  readonly port: number;
  readonly registryPorts: readonly number[];
  readonly issuerPorts: readonly number[];
}

/** Debian's nginx with the configuration that is shipped. */
export interface Balancer {
  /** What it complained of. */
  complaints(): Promise<string>;
  stop(): Promise<void>;
}

/** Starts nginx with `deploy/nginx/entrepot.conf` as it is, beside files of addresses, and returns once a registry answers. */
export async function startBalancer(options: BalancerOptions): Promise<Balancer> {
  const { directory, port } = options;
  await writeFiles(options);
  const child = spawn('nginx', [
    '-p',
    directory,
    '-e',
    join(directory, 'error.log'),
    '-c',
    join(directory, 'nginx.conf'),
  ]);
  const killAtExit = () => child.kill('SIGKILL');
  process.once('exit', killAtExit);
  const stop = async () => {
    await endChild(child, STOP_TIMEOUT_MS);
    process.off('exit', killAtExit);
  };
  const complaints = () => readFile(join(directory, 'error.log'), 'utf8').catch(() => '');
  try {
    await untilReady(child, port);
  } catch (error) {
    await stop();
    throw new Error(`${(error as Error).message}:\n${await complaints()}`, { cause: error });
  }
  return { complaints, stop };
}

async function writeFiles({ directory, port, registryPorts, issuerPorts }: BalancerOptions): Promise<void> {
  const own = join(directory, 'entrepot');
  await mkdir(own, { recursive: true });
  await copyFile(SHIPPED, join(own, 'entrepot.conf'));
  await writeFile(join(own, 'listen.conf'), `listen 127.0.0.1:${port};\n`);
  await writeFile(join(own, 'registries.conf'), serversOf(registryPorts));
  await writeFile(join(own, 'issuers.conf'), serversOf(issuerPorts));
  await writeFile(join(directory, 'nginx.conf'), mainFile(directory));
}

/** As the shipped `registries.conf` and `issuers.conf` list them. */
function serversOf(ports: readonly number[]): string {
  const first = ports.map((port) => `server 127.0.0.1:${port} max_fails=3 fail_timeout=5s;\n`);
  const lastResort = ports.map((port) => `server 127.0.0.1:${port} max_fails=0 backup;\n`);
  return [...first, ...lastResort].join('');
}

/** What a distribution's own nginx.conf would say. */
function mainFile(directory: string): string {
  const user = process.getuid?.() === 0 ? 'user root;\n' : '';
  const scratch = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  return `${user}daemon off;
worker_processes 2;
pid ${directory}/nginx.pid;
events { worker_connections 1024; }
http {
${scratch.map((kind) => `  ${kind}_temp_path ${directory}/${kind};`).join('\n')}
  access_log off;
  include entrepot/entrepot.conf;
}
`;
}

async function untilReady(child: ChildProcess, port: number): Promise<void> {
  for (const deadline = performance.now() + READY_TIMEOUT_MS; performance.now() < deadline; await delay(POLL_MS)) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error('nginx ended');
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => undefined);
    await answer?.body?.cancel();
    if (answer?.ok) return;
  }
  throw new Error('nobody is ready behind nginx');
}
