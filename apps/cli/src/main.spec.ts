import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, readlink, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { EXIT_CODES } from './exit-codes.js';

const MAIN = new URL('../dist/main.js', import.meta.url).pathname;

// Some tests start a dozen processes one after the other.
vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

let top: string;
let environment: Record<string, string>;
const running: ChildProcess[] = [];

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'entrepot-cli-'));
  await chmod(top, 0o711);
  environment = {
    PATH: process.env['PATH'] ?? '',
    ENTREPOT_DATA_DIR: join(top, 'data'),
    ENTREPOT_DATA_MIN_FREE: '1MiB',
    ENTREPOT_HTTP_PORT: String(await freePort()),
    ENTREPOT_OPS_PORT: String(await freePort()),
  };
});

afterEach(async () => {
  for (const child of running.splice(0)) {
    const isAlive = child.exitCode === null && child.signalCode === null;
    if (isAlive) await stop(child, 'SIGTERM');
  }
});

afterAll(() => rm(top, { recursive: true, force: true }));

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  return port;
}

function entrepot(args: readonly string[], extra: Record<string, string> = {}) {
  const child = spawn(process.execPath, [MAIN, ...args], { env: { ...environment, ...extra }, stdio: 'pipe' });
  const closed = once(child, 'close');
  const output = Promise.all([text(child.stdout), text(child.stderr)]);
  const result = Promise.all([closed, output]).then(([[code], [stdout, stderr]]) => ({
    code: code as number | null,
    stdout,
    stderr,
  }));
  return { child, result };
}

/** Runs a command to its end. */
function run(...args: string[]) {
  return entrepot(args).result;
}

/** Starts the product and returns once its banner is out, with what it printed. */
async function start(extra: Record<string, string> = {}): Promise<{ child: ChildProcess; banner: string }> {
  const { child, result } = entrepot(['start'], extra);
  running.push(child);
  let banner = '';
  const isReady = new Promise<boolean>((resolve) => {
    child.stdout.on('data', (chunk: Buffer) => {
      banner += chunk.toString();
      if (banner.includes('Stop it with Ctrl-C')) resolve(true);
    });
    void result.then(() => resolve(false));
  });
  if (!(await isReady)) throw new Error(`the start ended: ${JSON.stringify(await result)}`);
  return { child, banner };
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<unknown> {
  const closed = once(child, 'close');
  child.kill(signal);
  return (await closed)[0];
}

function passwordOf(banner: string): string | undefined {
  return /^ {2}password +(\S+)/m.exec(banner)?.[1];
}

async function statusOfLogin(password: string): Promise<number> {
  const answer = await fetch(`http://127.0.0.1:${environment['ENTREPOT_HTTP_PORT']}/auth/token?service=entrepot`, {
    headers: { Authorization: `Basic ${btoa(`admin:${password}`)}` },
  });
  return answer.status;
}

/** Processes that work in the data directory. */
async function processesInside(): Promise<string[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const places = await Promise.all(pids.map((pid) => readlink(`/proc/${pid}/cwd`).catch(() => '')));
  return places.filter((place) => place.startsWith(top));
}

describe('entrepot start', () => {
  it('shows what it does, the generated password once, and stops everything it started', async () => {
    const first = await start();
    expect(first.banner).toMatch(/preparing Postgres \.\.\. \d+\.\d s\n.*migrating \.\.\. [^]*listening \.\.\. /);
    expect(first.banner).toContain(`http://127.0.0.1:${environment['ENTREPOT_HTTP_PORT']}\n`);
    const password = passwordOf(first.banner) ?? '';
    expect(await statusOfLogin(password)).toBe(200);
    expect(await statusOfLogin('another')).toBe(401);
    expect(await stop(first.child, 'SIGINT')).toBe(EXIT_CODES.ok);
    expect(await processesInside()).toEqual([]);
    expect(await readFile(join(top, 'data', 'postgres', 'postgres.log'), 'utf8')).not.toContain(password);

    const second = await start({ ENTREPOT_ADMIN_PASSWORD: 'quite another one' });
    expect(passwordOf(second.banner)).toBeUndefined();
    expect(second.banner).toContain('warning: ENTREPOT_ADMIN_PASSWORD is not the password of admin');
    expect(await statusOfLogin(password)).toBe(200);
    second.child.kill('SIGINT');
    // The same Ctrl-C, passed on by npm.
    expect(await stop(second.child, 'SIGTERM')).toBe(EXIT_CODES.ok);
  });

  it('starts again after it was killed', async () => {
    const { child } = await start();
    await stop(child, 'SIGKILL');
    const again = await start();
    expect(await stop(again.child, 'SIGTERM')).toBe(EXIT_CODES.ok);
  });

  it('says in one line who owns the directory, or that the port is taken', async () => {
    const { child } = await start();
    const owned = await run('start');
    expect(owned.stderr).toMatch(new RegExp(`^entrepot: another instance \\(pid ${child.pid}\\) owns .*\\n$`));
    expect(owned.code).toBe(EXIT_CODES.owned);
    const elsewhere = await entrepot(['start'], { ENTREPOT_DATA_DIR: join(top, 'elsewhere') }).result;
    expect(elsewhere.stderr).toMatch(/^entrepot: port \d+ on 127\.0\.0\.1 is taken .*set ENTREPOT_HTTP_PORT\n$/);
    expect(elsewhere.code).toBe(EXIT_CODES.address);
  });
});

describe('the administration commands', () => {
  it('work beside a running start, and without one', async () => {
    const { child } = await start();
    const created = await run('user', 'create', 'alice', '--admin');
    expect(created.stdout).toMatch(/^created the administrator alice\npassword: \S+\n$/);
    expect(await run('user', 'create', 'alice')).toMatchObject({ code: EXIT_CODES.refused });
    expect(await run('org', 'create', 'acme')).toMatchObject({ code: EXIT_CODES.ok });
    expect(await run('team', 'create', 'acme', 'developers')).toMatchObject({ code: EXIT_CODES.ok });
    expect(await run('team', 'add-member', 'acme', 'developers', 'alice')).toMatchObject({ code: EXIT_CODES.ok });
    expect(await run('repo', 'create', 'acme/app')).toMatchObject({ code: EXIT_CODES.ok });
    expect(await run('grant', 'acme/app', 'team:acme/developers', 'write')).toMatchObject({ code: EXIT_CODES.ok });
    expect(await run('repo', 'set-visibility', 'acme/app', 'public')).toMatchObject({ code: EXIT_CODES.ok });
    await stop(child, 'SIGTERM');
    const listed = JSON.parse((await run('repo', 'list', '--json')).stdout) as object[];
    expect(listed).toEqual([expect.objectContaining({ name: 'acme/app', visibility: 'public' })]);
    const grants = await run('grants', 'acme/app');
    expect(grants.stdout).toBe('GRANTEE               ROLE\nteam:acme/developers  write\n');
    expect(await run('migrate')).toMatchObject({ code: EXIT_CODES.ok, stdout: 'the database is up to date\n' });
  });

  it('rotate the signing key once, under the secret that the start made', async () => {
    expect((await run('keys', 'rotate')).stdout).toMatch(/^key [A-Z2-7:]+ signs from \d{4}-.+Z on\n$/);
    expect(await run('keys', 'rotate')).toMatchObject({
      code: EXIT_CODES.ok,
      stdout: 'a successor waits already; nothing was changed\n',
    });
    const { child } = await start();
    await stop(child, 'SIGTERM');
  });

  it('take a password from standard input', async () => {
    const { child, result } = entrepot(['user', 'create', 'piped', '--password-stdin']);
    child.stdin.end('a password of my own\n');
    expect(await result).toMatchObject({ code: EXIT_CODES.ok, stdout: 'created the user piped\n' });
  });

  it('say what to do where there is no Entrepot', async () => {
    const { result } = entrepot(['user', 'list'], { ENTREPOT_DATA_DIR: join(top, 'nothing') });
    expect(await result).toMatchObject({
      code: EXIT_CODES.unavailable,
      stderr: expect.stringContaining("run 'entrepot start' there first") as string,
    });
  });
});

describe('entrepot', () => {
  it('shows settings without secrets', async () => {
    const { result } = entrepot(['config', 'show'], { ENTREPOT_HTTP_SECRET: 'planted-0123456789-abcdefghij-klmnop' });
    const { stdout } = await result;
    expect(stdout).toContain('ENTREPOT_HTTP_SECRET=[redacted]');
    expect(stdout).toContain('ENTREPOT_SECRETS_KEY=[generated]');
    expect(stdout).not.toContain('planted');
  });

  it('ends unknown words with the code for usage', async () => {
    expect(await run('frobnicate')).toMatchObject({ code: EXIT_CODES.usage });
    expect(await run('serve', 'everything')).toMatchObject({ code: EXIT_CODES.usage });
    expect(await run('version')).toMatchObject({ code: EXIT_CODES.ok });
  });

  it('refuses to serve without what a service needs', async () => {
    const served = await run('serve', 'registry');
    expect(served.code).toBe(EXIT_CODES.config);
    expect(served.stderr).toContain('ENTREPOT_HTTP_SECRET: required');
  });
});
