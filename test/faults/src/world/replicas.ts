import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startEmbeddedPostgres } from '@entrepot/embedded-postgres';
import { attemptEntrepot, runEntrepot, startEntrepot, type Attempt, type Entrepot } from '@entrepot/testkit/entrepot';
import { Pool, type QueryResultRow } from 'pg';
import { until } from './process-state.js';
import type { Target } from './target.js';

/** As the `entrepot` command runs it; what it would compile first was compiled before the tests. */
const SERVE = ['node_modules/.bin/node', 'apps/cli/dist/main.js', 'serve'];

/** Settings of a jobrunner that waits for nothing. */
export const EAGER = {
  ENTREPOT_UPLOADS_TTL: '1s',
  ENTREPOT_UPLOADS_PURGE_INTERVAL: '250ms',
  ENTREPOT_GC_INTERVAL: '250ms',
};
const OWED = 'SELECT 1 FROM upload UNION ALL SELECT 1 FROM doomed_object LIMIT 1';

export interface ReplicasOptions {
  /** Variables that say where blobs are; default is a directory that all share. */
  readonly storage?: Readonly<Record<string, string>>;
  /** Postgres to use; default is one of their own. */
  readonly databaseUrl?: string;
  /** Further variables of every process. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A Postgres, a token issuer, and registries over them, each a process of its own. */
export interface Replicas {
  /** Below it is what the processes share. */
  readonly directory: string;
  readonly databaseUrl: string;
  /** Starts a further registry. */
  start(settings?: Readonly<Record<string, string>>): Promise<Entrepot>;
  /** Starts a further token issuer. */
  startIssuer(settings?: Readonly<Record<string, string>>): Promise<Entrepot>;
  /** Runs another `entrepot` command with the settings that all share, and returns what it printed. */
  run(args: readonly string[]): Promise<string>;
  /** The same for a command that may fail. */
  attempt(args: readonly string[], settings?: Readonly<Record<string, string>>): Promise<Attempt>;
  /** Starts what ends uploads and removes objects. */
  startJobrunner(settings?: Readonly<Record<string, string>>): Promise<Entrepot>;
  /** Lets a jobrunner end the uploads that nobody works on and remove what no row needs, and waits until it has. */
  reclaim(): Promise<void>;
  /** A registry as the administrator asks it, with tokens of the first issuer or of this one. */
  target(registry: { readonly url: string }, issuer?: { readonly url: string }): Target;
  /** Rows of the shared database. */
  query<Row extends QueryResultRow>(text: string, values?: readonly unknown[]): Promise<Row[]>;
  /** Ends everything and deletes what it held. */
  remove(): Promise<void>;
}

/** Starts Postgres and the issuer; dead replicas lose their uploads after a second. */
export async function startReplicas(options: ReplicasOptions = {}): Promise<Replicas> {
  const { storage, settings = {}, databaseUrl } = options;
  const directory = await mkdtemp(join(tmpdir(), 'entrepot-replicas-'));
  await chmod(directory, 0o711);
  const postgres =
    databaseUrl === undefined
      ? await startEmbeddedPostgres({ directory: join(directory, 'postgres') })
      : { url: databaseUrl, stop: () => Promise.resolve() };
  const adminPassword = randomBytes(18).toString('base64url');
  const shared = {
    ENTREPOT_DATABASE_URL: postgres.url,
    ...(storage ?? { ENTREPOT_STORAGE_ROOT: join(directory, 'storage') }),
    ENTREPOT_HTTP_SECRET: randomBytes(32).toString('base64url'),
    ENTREPOT_SECRETS_KEY: randomBytes(32).toString('base64url'),
    ENTREPOT_CONTENT_UPLOAD_LEASE: '1s',
    // What dies in these tests is the whole service.
    ENTREPOT_HTTP_WORKERS: '1',
    ...settings,
  };
  await runEntrepot(['migrate'], { ...shared, ENTREPOT_ADMIN_PASSWORD: adminPassword });
  const started: Entrepot[] = [];
  const serve = async (service: string, own: Readonly<Record<string, string>> = {}) => {
    const process = await startEntrepot({ command: [...SERVE, service], settings: { ...shared, ...own } });
    started.push(process);
    return process;
  };
  const issuer = await serve('auth');
  const pool = new Pool({ connectionString: postgres.url, max: 2 });
  // Connections that are kept end with Postgres; a query that needed one says so itself.
  pool.on('error', () => {});
  return {
    directory,
    databaseUrl: postgres.url,
    start: (own) => serve('registry', own),
    startIssuer: (own) => serve('auth', own),
    run: (args) => runEntrepot(args, shared),
    attempt: (args, own) => attemptEntrepot(args, { ...shared, ...own }),
    startJobrunner: (own) => serve('jobrunner', own),
    reclaim: async () => {
      const jobrunner = await serve('jobrunner', EAGER);
      await until(async () => (await pool.query(OWED)).rows.length === 0, 'uploads and doomed objects to go');
      await jobrunner.remove();
    },
    target: ({ url }, from = issuer) => ({ url, tokenUrl: from.url, adminPassword }),
    query: async <Row extends QueryResultRow>(text: string, values: readonly unknown[] = []) =>
      (await pool.query<Row>(text, [...values])).rows,
    remove: async () => {
      for (const process of started) await process.remove();
      await pool.end();
      await postgres.stop();
      await rm(directory, { recursive: true, force: true });
    },
  };
}
