import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { EXIT_CODES } from '../exit-codes.js';
import type { ServiceName } from './served.js';

/** Four migrations and three services, one after another. */
const MANY_PROCESSES_MS = 120_000;

const MAIN = new URL('../../dist/main.js', import.meta.url).pathname;

const database = withTestDatabase();
let dataDirectory: string;
const running: ChildProcess[] = [];

beforeAll(async () => {
  dataDirectory = await mkdtemp(join(tmpdir(), 'entrepot-serve-'));
});

afterEach(async () => {
  for (const child of running.splice(0)) await stop(child);
});

afterAll(() => rm(dataDirectory, { recursive: true, force: true }));

/** One environment for every service, and any free port for each. */
function entrepot(args: string[], settings: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: process.env['PATH'] ?? '',
    ENTREPOT_DATABASE_URL: database.url,
    ENTREPOT_DATA_DIR: dataDirectory,
    ENTREPOT_HTTP_SECRET: 'shared-0123456789-abcdefghij-klmnop',
    ENTREPOT_SECRETS_KEY: 'sealing-0123456789-abcdefghij-klmno',
    ENTREPOT_HTTP_PORT: '0',
    ENTREPOT_OPS_PORT: '0',
    ...settings,
  };
  return spawn(process.execPath, [MAIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
}

async function run(args: string[], settings?: Readonly<Record<string, string>>) {
  const child = entrepot(args, settings);
  const closed = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  return { code: (await closed)[0] as number, stdout, stderr };
}

/** Starts a service and returns its origin, which it logs when it is ready. */
async function serve(name: ServiceName): Promise<string> {
  const child = entrepot(['serve', name]);
  running.push(child);
  let log = '';
  for await (const chunk of child.stdout.iterator({ destroyOnReturn: false })) {
    log += String(chunk);
    const origin = /"origin":"([^"]+)"/.exec(log)?.[1];
    if (origin !== undefined) return origin;
  }
  throw new Error(`${name} ended: ${log}${await text(child.stderr)}`);
}

async function stop(child: ChildProcess): Promise<unknown> {
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  return (await exited)[0];
}

describe('entrepot serve', () => {
  it('refuses a database that was not migrated, and names the command', async () => {
    const served = await run(['serve', 'auth']);
    expect(served.code).toBe(EXIT_CODES.unavailable);
    expect(served.stderr).toMatch(/^entrepot: the database lacks .*; run 'entrepot migrate' first\n$/);
  });

  it(
    'runs each service as a process of its own, over one database and one environment',
    async () => {
      const migrations = await Promise.all([1, 2, 3].map(() => run(['migrate'])));
      const printed = migrations.map(({ stdout }) => stdout).join('');
      expect(migrations.map(({ code }) => code)).toEqual([EXIT_CODES.ok, EXIT_CODES.ok, EXIT_CODES.ok]);
      expect(printed.match(/ran 0001_access\n/g)).toHaveLength(1);
      expect(printed.match(/created the administrator admin\npassword: \S+\n/g)).toHaveLength(1);
      expect((await run(['migrate'])).stdout).toBe('the database is up to date\n');
      // The issuer makes the first signing key, without which a data plane is not ready.
      const auth = await serve('auth');
      const registry = await serve('registry');
      const jobrunner = await serve('jobrunner');
      for (const origin of [registry, auth, jobrunner]) expect((await fetch(`${origin}/readyz`)).status).toBe(200);
      expect((await fetch(`${registry}/v2/`)).status).toBe(401);
      expect((await fetch(`${registry}/auth/jwks`)).status).toBe(404);
      expect((await fetch(`${auth}/auth/jwks`)).status).toBe(200);
      expect((await fetch(`${auth}/v2/`)).status).toBe(404);
      for (const child of running.splice(0)) expect(await stop(child)).toBe(EXIT_CODES.ok);
    },
    MANY_PROCESSES_MS,
  );

  it('ends where the store cannot be opened, and says why', async () => {
    await run(['migrate']);
    const settings = { ENTREPOT_HTTP_WORKERS: '1', ENTREPOT_STORAGE_ROOT: MAIN };
    const served = await run(['serve', 'registry'], settings);
    expect(served.stderr).toMatch(/^entrepot: storage in .*: a file is where a directory is expected \(\w+\)\n$/);
    expect(served.code).toBe(EXIT_CODES.unavailable);
  });
});
