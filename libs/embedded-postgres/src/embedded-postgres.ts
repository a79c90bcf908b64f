import { realpathSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { linkLibraries, locateBinaries } from './binaries.js';
import { makeServerDirectory, prepareCluster } from './cluster.js';
import type { Installation } from './cluster.js';
import { connectionUrl, DATABASE, OWNER, serverPaths } from './connection.js';
import type { PostgresConnection } from './connection.js';
import { chooseIdentity } from './identity.js';
import { endLeftover } from './leftover.js';
import { launchServer, stopServer, untilReady } from './server.js';
import type { ServerRun } from './server.js';
import { SOCKET_PORT } from './settings.js';
import type { ServerSettings } from './settings.js';
import { clearSocketDirectory, makeSocketDirectory } from './socket-directory.js';

const READY_TIMEOUT_MS = 300_000;
const FIRST_BACKOFF_MS = 100;
const LONGEST_BACKOFF_MS = 10_000;

export interface EmbeddedPostgresOptions {
  /** Holds the cluster, its password, log and socket; made when missing. One process at a time may own it. */
  readonly directory: string;
  /** False turns fsync off, for throw-away servers. Default true. */
  readonly isDurable?: boolean;
  /** Default 60. */
  readonly maxConnections?: number;
  /** Told when the server died while in use, and each time it was started anew or could not be. */
  readonly onEvent?: (event: PostgresEvent) => void;
}

export type PostgresEvent =
  | { readonly kind: 'died'; readonly reason: string; readonly logTail: readonly string[] }
  | { readonly kind: 'restarted' }
  | { readonly kind: 'restart-failed'; readonly reason: string; readonly retryMs: number };

/** A server that is kept running until `stop`. */
export interface EmbeddedPostgres {
  readonly connection: PostgresConnection;
  /** The connection as a `postgres://` URL; it holds the password. */
  readonly url: string;
  /** Process id of the server, which changes when it is started anew; undefined while none runs. */
  pid(): number | undefined;
  stop(): Promise<void>;
}

/**
 * Starts the Postgres of `directory` and returns once it answers, with a database named `entrepot`. A server that an
 * earlier process left behind there is ended first. If the server dies, it is started again until `stop` is called.
 * Throws `PostgresError`.
 */
export async function startEmbeddedPostgres(options: EmbeddedPostgresOptions): Promise<EmbeddedPostgres> {
  const { isDurable = true, maxConnections = 60, onEvent = () => {} } = options;
  const installation = install(options.directory);
  const socketDirectory = makeSocketDirectory(installation.directory, installation.identity);
  await endLeftover(serverPaths(installation.directory).cluster);
  const password = await prepareCluster(installation, isDurable);
  const settings = { socketDirectory, isDurable, maxConnections };
  const connection = { host: socketDirectory, port: SOCKET_PORT, user: OWNER, password, database: DATABASE };
  const server = { installation, settings, connection };
  const keeper = keepRunning(server, await startServer(server), onEvent);
  return {
    connection,
    url: connectionUrl(connection),
    pid: keeper.pid,
    stop: async () => {
      await keeper.stop();
      rmSync(socketDirectory, { recursive: true, force: true });
    },
  };
}

interface Server {
  readonly installation: Installation;
  readonly settings: ServerSettings;
  readonly connection: PostgresConnection;
}

function install(wanted: string): Installation {
  const binaries = locateBinaries();
  makeServerDirectory(wanted);
  const directory = realpathSync(wanted);
  linkLibraries(binaries, serverPaths(directory).libraries);
  return { directory, binaries, identity: chooseIdentity(binaries.postgres, directory) };
}

async function startServer({ installation, settings, connection }: Server): Promise<ServerRun> {
  clearSocketDirectory(settings.socketDirectory);
  const run = launchServer(installation, settings);
  try {
    await untilReady(run, connection, READY_TIMEOUT_MS);
    return run;
  } catch (error) {
    await stopServer(run);
    throw error;
  }
}

function keepRunning(server: Server, first: ServerRun, onEvent: (event: PostgresEvent) => void) {
  const stopping = new AbortController();
  let run: ServerRun | undefined = first;

  async function keep(): Promise<void> {
    while (run !== undefined) {
      const reason = await run.ended;
      if (stopping.signal.aborted) return;
      onEvent({ kind: 'died', reason, logTail: run.logTail() });
      run = undefined;
      run = await restart();
    }
  }

  async function restart(): Promise<ServerRun | undefined> {
    for (let backoffMs = FIRST_BACKOFF_MS; !stopping.signal.aborted; backoffMs = nextBackoff(backoffMs)) {
      try {
        await endLeftover(serverPaths(server.installation.directory).cluster);
        const started = await startServer(server);
        onEvent({ kind: 'restarted' });
        return started;
      } catch (error) {
        onEvent({ kind: 'restart-failed', reason: (error as Error).message, retryMs: backoffMs });
        await delay(backoffMs, undefined, { signal: stopping.signal }).catch(() => {});
      }
    }
    return undefined;
  }

  const kept = keep();
  return {
    pid: () => run?.pid,
    stop: async () => {
      stopping.abort();
      if (run !== undefined) await stopServer(run);
      await kept;
      if (run !== undefined) await stopServer(run);
    },
  };
}

function nextBackoff(backoffMs: number): number {
  return Math.min(backoffMs * 2, LONGEST_BACKOFF_MS);
}
