import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { readConnection } from './connection.js';
import { startEmbeddedPostgres } from './embedded-postgres.js';
import type { EmbeddedPostgres, PostgresEvent } from './embedded-postgres.js';

let top: string;
let running: EmbeddedPostgres | undefined;

beforeAll(async () => {
  top = await mkdtemp(join(tmpdir(), 'embedded-postgres-'));
  await chmod(top, 0o711);
});

afterAll(() => rm(top, { recursive: true, force: true }));

afterEach(async () => {
  await running?.stop();
  running = undefined;
});

async function start(directory: string, onEvent?: (event: PostgresEvent) => void): Promise<EmbeddedPostgres> {
  running = await startEmbeddedPostgres({ directory, isDurable: false, ...(onEvent && { onEvent }) });
  return running;
}

async function ask(connectionString: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

describe('startEmbeddedPostgres', () => {
  it('keeps its rows and its password over a stop and a start', async () => {
    const directory = join(top, 'kept');
    const first = await start(directory);
    await ask(first.url, 'CREATE TABLE kept AS SELECT 1 AS id');
    await first.stop();
    expect(readConnection(directory)).toBeUndefined();
    const second = await start(directory);
    expect(second.url).toBe(first.url);
    expect(await ask(second.url, 'SELECT id FROM kept')).toEqual([{ id: 1 }]);
    expect(readConnection(directory)).toEqual(second.connection);
  });

  it('listens on its unix socket only, and logs no statement', async () => {
    const { url } = await start(join(top, 'quiet'));
    expect(await ask(url, 'SHOW listen_addresses')).toEqual([{ listen_addresses: '' }]);
    await expect(ask(url, "SELECT 'planted-word'::int")).rejects.toThrow('invalid input syntax');
    await expect(ask(url, 'SELECT planted_statement FROM nowhere')).rejects.toThrow('does not exist');
    expect(await readFile(join(top, 'quiet', 'postgres.log'), 'utf8')).not.toContain('planted_statement');
  });

  it('starts a server that died again, and says so', async () => {
    const events: PostgresEvent[] = [];
    const server = await start(join(top, 'killed'), (event) => events.push(event));
    const firstPid = server.pid();
    process.kill(firstPid ?? 0, 'SIGKILL');
    while (!events.some((event) => event.kind === 'restarted')) await delay(20);
    expect(events[0]).toMatchObject({ kind: 'died', reason: 'signal SIGKILL' });
    expect(server.pid()).not.toBe(firstPid);
    expect(await ask(server.url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('takes over from a server whose process was killed', async () => {
    const directory = join(top, 'left');
    const script = `import { startEmbeddedPostgres } from '@entrepot/embedded-postgres';
      const { url } = await startEmbeddedPostgres({ directory: process.argv[1], isDurable: false });
      process.stdout.write(url); setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['--input-type=module', '-e', script, directory], {
      cwd: import.meta.dirname,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [left] = (await once(owner.stdout, 'data')) as [Buffer];
    await ask(left.toString(), 'CREATE TABLE left_behind ()');
    owner.kill('SIGKILL');
    const { url } = await start(directory);
    expect(await ask(url, 'SELECT * FROM left_behind')).toEqual([]);
  });

  it('is not misled by the process ids in the marks of a killed server', async () => {
    const directory = join(top, 'marked');
    await (await start(directory)).stop();
    await mkdir(join(directory, 'socket'), { recursive: true });
    await writeFile(join(directory, 'cluster', 'postmaster.pid'), `${process.pid}\n`);
    await writeFile(join(directory, 'socket', '.s.PGSQL.5432.lock'), `${process.pid}\n`);
    const { url } = await start(directory);
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  it('begins a creation that was cut off anew', async () => {
    const directory = join(top, 'cut');
    await mkdir(join(directory, 'cluster.unfinished', 'base'), { recursive: true });
    const { url } = await start(directory);
    expect(await ask(url, 'SELECT current_database()')).toEqual([{ current_database: 'entrepot' }]);
  });

  it('works below a path that is too long for a socket', async () => {
    const directory = join(top, 'long'.repeat(40));
    const { url, connection } = await start(directory);
    expect(connection.host.length).toBeLessThan(93);
    expect(await ask(url, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
    expect(readConnection(directory)).toEqual(connection);
  });

  it('refuses a cluster of another Postgres version', async () => {
    const directory = join(top, 'older');
    await mkdir(join(directory, 'cluster'), { recursive: true });
    await writeFile(join(directory, 'cluster', 'PG_VERSION'), '17\n');
    await expect(start(directory)).rejects.toThrow('was made by Postgres 17 and this is Postgres 18');
  });
});
