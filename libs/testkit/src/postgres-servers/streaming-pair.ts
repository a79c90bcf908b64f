import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { findFreePort } from '../entrepot.js';
import {
  ask,
  endServer,
  findPrograms,
  isPresent,
  launchServer,
  makeServerDirectory,
  runProgram,
} from './debian-postgres.js';

const LOGIN = 'entrepot';
const POLL_MS = 25;

/** A Postgres and a replica that streams from it, both on loopback ports and of one database. */
export interface StreamingPair {
  readonly primaryUrl: string;
  readonly replicaUrl: string;
  /** The replica goes on receiving, and applies nothing, until it is resumed. */
  pauseReplay(): Promise<void>;
  resumeReplay(): Promise<void>;
  stopReplica(): Promise<void>;
  /** From now on a commit on the primary is acknowledged once the replica has it. */
  makeSynchronous(): Promise<void>;
  /** The primary ends at once, as by a crash, and the replica takes its place. */
  failOver(): Promise<void>;
  startReplica(): Promise<void>;
  /** Ends both servers and deletes what they held. */
  remove(): Promise<void>;
}

/** Whether Debian's Postgres is there, which can stream. */
export function hasStreamingPair(): boolean {
  return isPresent('postgresql', findPrograms() !== undefined);
}

export async function startStreamingPair(): Promise<StreamingPair> {
  const programs = findPrograms();
  if (programs === undefined) throw new Error('postgresql is not installed');
  const directory = await makeServerDirectory();
  const [primaryPort, replicaPort] = await Promise.all([findFreePort(), findFreePort()]);
  const paths = { primary: join(directory, 'primary'), replica: join(directory, 'replica') };
  const launch = (path: string, port: number) =>
    launchServer(join(programs, 'postgres'), serverArguments(path, port), urlOf(port, 'postgres'));

  await runProgram(join(programs, 'initdb'), ['-D', paths.primary, '-U', LOGIN, '--auth=trust', '-E', 'UTF8', '-N']);
  const primary = await launch(paths.primary, primaryPort);
  await ask(urlOf(primaryPort, 'postgres'), `CREATE DATABASE ${LOGIN}`);
  const source = ['-h', '127.0.0.1', '-p', String(primaryPort), '-U', LOGIN];
  const backup = ['-D', paths.replica, '-R', '-X', 'stream', '--checkpoint=fast', '--no-sync'];
  await runProgram(join(programs, 'pg_basebackup'), [...source, ...backup]);
  let replica = await launch(paths.replica, replicaPort);
  const replicaUrl = urlOf(replicaPort, LOGIN);
  return {
    primaryUrl: urlOf(primaryPort, LOGIN),
    replicaUrl,
    pauseReplay: async () => {
      await ask(replicaUrl, 'SELECT pg_wal_replay_pause()');
      const state = 'SELECT pg_get_wal_replay_pause_state() AS state';
      while ((await ask(replicaUrl, state))[0]?.['state'] !== 'paused') await delay(POLL_MS);
    },
    resumeReplay: async () => void (await ask(replicaUrl, 'SELECT pg_wal_replay_resume()')),
    stopReplica: () => endServer(replica),
    startReplica: async () => {
      replica = await launch(paths.replica, replicaPort);
    },
    makeSynchronous: async () => {
      await ask(urlOf(primaryPort, LOGIN), `ALTER SYSTEM SET synchronous_standby_names = '*'`);
      await ask(urlOf(primaryPort, LOGIN), 'SELECT pg_reload_conf()');
    },
    failOver: async () => {
      await endServer(primary, 'SIGQUIT');
      await ask(replicaUrl, 'SELECT pg_promote()');
    },
    remove: async () => {
      await endServer(replica, 'SIGQUIT');
      await endServer(primary, 'SIGQUIT');
      await rm(directory, { recursive: true, force: true });
    },
  };
}

/** Small, for a few connections, and without care for power cuts. */
function serverArguments(path: string, port: number): string[] {
  const settings = {
    listen_addresses: '127.0.0.1',
    port,
    unix_socket_directories: '',
    shared_buffers: '32MB',
    max_connections: 60,
    wal_level: 'replica',
    max_wal_senders: 4,
    hot_standby: 'on',
    fsync: 'off',
  };
  return ['-D', path, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])];
}

function urlOf(port: number, database: string): string {
  return `postgres://${LOGIN}@127.0.0.1:${port}/${database}`;
}
