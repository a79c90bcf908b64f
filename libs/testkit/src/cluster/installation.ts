import { randomBytes } from 'node:crypto';
import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@entrepot/embedded-postgres';
import { findFreePort, runEntrepot, startEntrepot, type Entrepot } from '../entrepot.js';
import type { Account } from '../registry-client.js';
import { startBalancer, type Balancer } from './balancer.js';

/** For several of each service, and for what tests ask themselves. */
const MAX_CONNECTIONS = 200;
const SERVE = ['sh', 'apps/cli/bin/entrepot', 'serve'];

export interface InstallationOptions {
  /** How many processes there are of each service; default is one. */
  readonly registries?: number;
  readonly issuers?: number;
  /** Variables `ENTREPOT_…` of all services, beside those that make them one. Without a driver: a shared directory. */
  readonly settings?: Readonly<Record<string, string>>;
  /** Where everything is kept; default is the system's directory for temporary files. */
  readonly parentDirectory?: string;
}

/** Every service as processes of its own, over one Postgres and one store, behind one balancer. */
export interface Installation {
  /** The balancer's origin. */
  readonly url: string;
  /** The balancer's host and port, as image references begin. */
  readonly host: string;
  readonly databaseUrl: string;
  readonly admin: Account;
  /** An account that owns the namespace `alice` and nothing else. */
  readonly alice: Account;
  readonly registries: readonly Entrepot[];
  readonly issuers: readonly Entrepot[];
  readonly jobrunner: Entrepot;
  readonly balancer: Balancer;
  /** Ends everything and deletes what it kept. */
  remove(): Promise<void>;
}

type OnEnd = (end: () => Promise<unknown>) => void;

/** Starts an installation as the README tells operators to. If a part does not start, the others are ended. */
export async function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  const ends: (() => Promise<unknown>)[] = [];
  const remove = async () => {
    for (const end of ends.toReversed()) await end();
  };
  try {
    return { ...(await startAll(options, (end) => ends.push(end))), remove };
  } catch (error) {
    await remove();
    throw error;
  }
}

async function startAll(options: InstallationOptions, onEnd: OnEnd): Promise<Omit<Installation, 'remove'>> {
  const directory = await makeDirectory(options.parentDirectory ?? tmpdir(), onEnd);
  const port = await findFreePort();
  const settings = { ...(await sharedSettings(directory, onEnd)), ...addressSettings(port), ...options.settings };
  await runEntrepot(['migrate'], settings);
  const admin = { name: 'admin', password: settings.ENTREPOT_ADMIN_PASSWORD };
  const alice = { name: 'alice', password: randomBytes(12).toString('base64url') };
  await runEntrepot(['user', 'create', alice.name, '--password-stdin'], settings, alice.password);
  const serve = async (service: string, count = 1) => {
    const start = async () => {
      const started = await startEntrepot({ command: [...SERVE, service], settings });
      onEnd(started.remove);
      return started;
    };
    return Promise.all(Array.from({ length: count }, start));
  };
  // An issuer makes the first signing key, without which no registry is ready.
  const issuers = await serve('auth', options.issuers);
  const registries = await serve('registry', options.registries);
  const [jobrunner] = (await serve('jobrunner')) as [Entrepot];
  const ports = { registryPorts: portsOf(registries), issuerPorts: portsOf(issuers) };
  const balancer = await startBalancer({ directory: join(directory, 'nginx'), port, ...ports });
  onEnd(balancer.stop);
  const host = `127.0.0.1:${port}`;
  const { ENTREPOT_DATABASE_URL: databaseUrl } = settings;
  return { url: `http://${host}`, host, databaseUrl, admin, alice, registries, issuers, jobrunner, balancer };
}

async function makeDirectory(parent: string, onEnd: OnEnd): Promise<string> {
  const directory = await realpath(await mkdtemp(join(parent, 'entrepot-installation-')));
  onEnd(() => rm(directory, { recursive: true, force: true, maxRetries: 3 }));
  // Root's Postgres runs as another user and has to pass through.
  await chmod(directory, 0o711);
  return directory;
}

async function sharedSettings(directory: string, onEnd: OnEnd) {
  const postgres = await startEmbeddedPostgres({
    directory: join(directory, 'postgres'),
    maxConnections: MAX_CONNECTIONS,
  });
  onEnd(() => postgres.stop());
  const storage = join(directory, 'storage');
  await mkdir(storage);
  return {
    ENTREPOT_DATABASE_URL: postgres.url,
    ENTREPOT_STORAGE_ROOT: storage,
    ENTREPOT_HTTP_SECRET: randomBytes(32).toString('base64url'),
    ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url'),
    ENTREPOT_ADMIN_PASSWORD: randomBytes(18).toString('base64url'),
  };
}

/** The services are reached through the balancer, and believe what it says of clients. */
function addressSettings(port: number) {
  return {
    ENTREPOT_HTTP_PUBLIC_URL: `http://127.0.0.1:${port}`,
    ENTREPOT_HTTP_TRUSTED_PROXIES: '127.0.0.1',
  };
}

function portsOf(processes: readonly Entrepot[]): number[] {
  return processes.map(({ port }) => port);
}
