import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Where Debian's package `docker-registry` (distribution 2.8) puts its program. */
export const foreignRegistryPath = '/usr/bin/docker-registry';

/** Whether the foreign registry is installed. */
export function hasForeignRegistry(): boolean {
  return existsSync(foreignRegistryPath);
}

/** A running foreign registry with storage of its own, which `stop` removes. */
export interface ForeignRegistry {
  readonly url: string;
  readonly stop: () => Promise<void>;
}

const startTimeoutMs = 20_000;

/** Starts it on a free loopback port with deletion enabled; rejects when it does not answer in time. */
export async function startForeignRegistry(): Promise<ForeignRegistry> {
  const directory = await mkdtemp(join(tmpdir(), 'conformance-foreign-'));
  const port = await findFreePort();
  const settings = join(directory, 'config.json');
  await writeFile(settings, JSON.stringify(settingsOf(join(directory, 'storage'), port)));
  const child = spawn(foreignRegistryPath, ['serve', settings], { stdio: 'ignore' });
  const url = `http://127.0.0.1:${port}`;
  const stop = async () => {
    await end(child);
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await waitForAnswer(child, url);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, stop };
}

/** Its configuration is YAML, of which JSON is a part. */
function settingsOf(rootdirectory: string, port: number): object {
  return {
    version: 0.1,
    log: { level: 'error', accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory }, delete: { enabled: true } },
    http: { addr: `127.0.0.1:${port}` },
  };
}

async function findFreePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function waitForAnswer(child: ChildProcess, url: string): Promise<void> {
  const deadline = Date.now() + startTimeoutMs;
  while (Date.now() < deadline && child.exitCode === null) {
    const reply = await fetch(`${url}/v2/`).catch(() => undefined);
    if (reply?.ok === true) return;
    await sleep(50);
  }
  throw new Error(`${foreignRegistryPath} did not answer within ${startTimeoutMs} ms`);
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = new Promise((resolve) => child.once('exit', resolve));
  child.kill('SIGTERM');
  await ended;
}
