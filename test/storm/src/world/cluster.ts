import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@entrepot/embedded-postgres';
import { runEntrepot, type Entrepot } from '@entrepot/testkit/entrepot';
import { openDirectory, serviceStarter, startParts, type OnEnd } from '@entrepot/testkit/parts';
import type { Account } from '@entrepot/testkit/registry-client';
import { startS3Server, storageSettings } from '@entrepot/testkit/s3-server';

/** As the `entrepot` command runs it, compiled before. */
const SERVE = ['node_modules/.bin/node', 'apps/cli/dist/main.js', 'serve'];

export interface ClusterOptions {
  readonly store: 'filesystem' | 's3';
  readonly registries: number;
  readonly jobrunners: number;
  /** Variables `ENTREPOT_…` of all services. */
  readonly settings: Readonly<Record<string, string>>;
}

/** Where a service answers. */
interface Door {
  readonly url: string;
}

/** What a storm goes against. */
export interface Cluster {
  readonly databaseUrl: string;
  readonly issuer: Door;
  readonly registries: readonly Door[];
  readonly admin: Account;
  /** Has no right to what is the administrator's. */
  readonly stranger: Account;
  /** Where the filesystem store lies; undefined for another one. */
  readonly storageRoot?: string;
  /** Runs another `entrepot` command with the settings that all share; rejects unless it ends with 0. */
  run?(args: readonly string[]): Promise<string>;
  /** Ends everything that was started and deletes what it held. */
  remove(): Promise<void>;
}

/** An installation of somebody else's, which the file tells of. */
export async function findCluster(file: string): Promise<Cluster> {
  const found = JSON.parse(await readFile(file, 'utf8')) as Omit<Cluster, 'run' | 'remove'>;
  return { ...found, remove: () => Promise.resolve() };
}

/** Starts the product in processes of its own, several of each kind. If a part does not start, the others are ended. */
export function startCluster(options: ClusterOptions): Promise<Cluster> {
  return startParts((onEnd) => startAll(options, onEnd));
}

async function startAll(options: ClusterOptions, onEnd: OnEnd): Promise<Omit<Cluster, 'remove'>> {
  const directory = await openDirectory(tmpdir(), 'entrepot-storm-', onEnd);
  // Nothing loses its power in a storm, so that nothing has to wait for the disk.
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, 'postgres'),
    isDurable: false,
    maxConnections: 200,
  });
  onEnd(() => postgres.stop());
  const { storageRoot, storage } = await openStore(options.store, directory, onEnd);
  const admin = { name: 'admin', password: randomBytes(18).toString('base64url') };
  const stranger = { name: 'stranger', password: randomBytes(18).toString('base64url') };
  const settings = {
    ENTREPOT_DATABASE_URL: postgres.url,
    ENTREPOT_HTTP_SECRET: randomBytes(32).toString('base64url'),
    ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url'),
    ENTREPOT_HTTP_WORKERS: '1',
    ...storage,
    ...options.settings,
  };
  await runEntrepot(['migrate'], { ...settings, ENTREPOT_ADMIN_PASSWORD: admin.password });
  await runEntrepot(['user', 'create', stranger.name, '--password-stdin'], settings, stranger.password);
  const serve = serviceStarter(SERVE, settings, onEnd);
  // An issuer makes the first signing key, without which no registry is ready.
  const [issuer] = (await serve('auth')) as [Entrepot];
  const registries = await serve('registry', options.registries);
  await serve('jobrunner', options.jobrunners);
  return {
    databaseUrl: postgres.url,
    issuer,
    registries,
    admin,
    stranger,
    ...(storageRoot !== undefined && { storageRoot }),
    run: (args) => runEntrepot(args, settings),
  };
}

async function openStore(
  kind: ClusterOptions['store'],
  directory: string,
  onEnd: OnEnd,
): Promise<{ readonly storageRoot?: string; readonly storage: Readonly<Record<string, string>> }> {
  if (kind === 's3') {
    const server = await startS3Server('versitygw');
    onEnd(server.stop);
    return { storage: storageSettings(server) };
  }
  const storageRoot = join(directory, 'storage');
  await mkdir(storageRoot);
  return { storageRoot, storage: { ENTREPOT_STORAGE_ROOT: storageRoot } };
}
