import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@entrepot/embedded-postgres';
import { findFreePort, runEntrepot, type Entrepot } from '../entrepot.js';
import type { Account } from '../registry-client.js';
import { startBalancer, type Balancer } from './balancer.js';
import { openDirectory, serviceStarter, startParts, type OnEnd } from './parts.js';

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

/** Starts an installation as the README tells operators to. If a part does not start, the others are ended. */
export function startInstallation(options: InstallationOptions = {}): Promise<Installation> {
  return startParts((onEnd) => startAll(options, onEnd));
}

async function startAll(options: InstallationOptions, onEnd: OnEnd): Promise<Omit<Installation, 'remove'>> {
  const directory = await openDirectory(options.parentDirectory ?? tmpdir(), 'entrepot-installation-', onEnd);
  const port = await findFreePort();
  const settings = { ...(await sharedSettings(directory, onEnd)), ...addressSettings(port), ...options.settings };
  await runEntrepot(['migrate'], settings);
  const admin = { name: 'admin', password: settings.ENTREPOT_ADMIN_PASSWORD };
  const alice = { name: 'alice', password: randomBytes(12).toString('base64url') };
  await runEntrepot(['user', 'create', alice.name, '--password-stdin'], settings, alice.password);
  const serve = serviceStarter(SERVE, settings, onEnd);
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
