import { execFileSync } from 'node:child_process';
import { chown, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { findFreePort } from '../entrepot.js';
import { endServer, isPresent, launchServer, makeServerDirectory, unprivileged } from './debian-postgres.js';

const PROGRAM = 'pgbouncer';

/** A PgBouncer that lends its few connections for one transaction each. */
export interface PgBouncer {
  /** The same database through it. */
  readonly url: string;
  remove(): Promise<void>;
}

/** Whether Debian's PgBouncer is there. */
export function hasPgBouncer(): boolean {
  return isPresent(PROGRAM, runs());
}

function runs(): boolean {
  try {
    execFileSync(PROGRAM, ['--version'], { env: searchPath(), stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Debian keeps it where users' shells do not look. */
function searchPath(): Record<string, string> {
  return { PATH: `${process.env['PATH'] ?? ''}:/usr/sbin` };
}

export interface PgBouncerOptions {
  readonly serverConnections: number;
  /** Names of startup parameters that it drops, where others are refused. */
  readonly ignores?: string;
}

/** Starts a PgBouncer in transaction mode, otherwise with its settings as they are shipped, before the Postgres of the URL. */
export async function startPgBouncer(postgresUrl: string, options: PgBouncerOptions): Promise<PgBouncer> {
  const directory = await makeServerDirectory();
  const port = await findFreePort();
  const { username, pathname } = new URL(postgresUrl);
  const url = `postgres://${username}@127.0.0.1:${port}${pathname}`;
  const paths = { settings: join(directory, 'pgbouncer.ini'), users: join(directory, 'users.txt') };
  await writeFile(paths.settings, settings(postgresUrl, { ...options, port, usersPath: paths.users }));
  await writeFile(paths.users, `"${username}" ""\n`);
  const { uid, gid } = unprivileged();
  if (uid !== undefined && gid !== undefined) {
    for (const path of Object.values(paths)) await chown(path, uid, gid);
  }
  const program = (await stat(`/usr/sbin/${PROGRAM}`).catch(() => undefined)) ? `/usr/sbin/${PROGRAM}` : PROGRAM;
  const child = await launchServer(program, [paths.settings], url);
  return {
    url,
    remove: async () => {
      await endServer(child, 'SIGQUIT');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

interface Shape extends PgBouncerOptions {
  readonly port: number;
  readonly usersPath: string;
}

function settings(postgresUrl: string, { port, serverConnections, usersPath, ignores }: Shape): string {
  const { hostname, port: postgresPort, pathname } = new URL(postgresUrl);
  const database = pathname.slice(1);
  return `
[databases]
${database} = host=${hostname} port=${postgresPort} dbname=${database}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = trust
auth_file = ${usersPath}
pool_mode = transaction
default_pool_size = ${serverConnections}
max_client_conn = 200
logfile = /dev/null
${ignores === undefined ? '' : `ignore_startup_parameters = ${ignores}`}
`;
}
