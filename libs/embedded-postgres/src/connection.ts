import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SOCKET_PORT } from './settings.js';

/** Settings of a `pg` client or pool; `host` is the directory of the unix socket. */
export interface PostgresConnection {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** Owner of the cluster, and the only login that it is made with. */
export const OWNER = 'entrepot';

/** Database that every embedded server has. */
export const DATABASE = 'entrepot';

/** Paths below the directory of an embedded server. */
export function serverPaths(directory: string) {
  return {
    cluster: join(directory, 'cluster'),
    unfinishedCluster: join(directory, 'cluster.unfinished'),
    libraries: join(directory, 'lib'),
    password: join(directory, 'password'),
    log: join(directory, 'postgres.log'),
  };
}

/** The connection as a URL that `pg`, psql and libpq read alike: the socket's directory stands in the query. */
export function connectionUrl({ host, port, user, password, database }: PostgresConnection): string {
  const url = new URL(`postgres://localhost:${port}/${encodeURIComponent(database)}`);
  url.username = user;
  url.password = password;
  url.searchParams.set('host', host);
  return url.href;
}

/**
 * Reads how to reach the server of `directory` that another process started; undefined when none runs there.
 * It needs the rights of that process: the files are private.
 */
export function readConnection(directory: string): PostgresConnection | undefined {
  const paths = serverPaths(directory);
  try {
    // Line 5 of postmaster.pid is the directory of the first unix socket.
    const host = readFileSync(join(paths.cluster, 'postmaster.pid'), 'utf8').split('\n')[4];
    if (!host) return undefined;
    const password = readFileSync(paths.password, 'utf8').trim();
    return { host, port: SOCKET_PORT, user: OWNER, password, database: DATABASE };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
