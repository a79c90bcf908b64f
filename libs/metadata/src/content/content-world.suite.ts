import { createHash, randomUUID } from 'node:crypto';
import { MemoryBlobStore } from '@entrepot/blob-store';
import {
  RunningHashes,
  finishUpload,
  putManifest,
  startUpload,
  type Actor,
  type ContentTransaction,
  type PushRoom,
  type Removal,
  type SparsePolicy,
  type UploadRef,
} from '@entrepot/content';
import {
  RegistryError,
  parseManifest,
  parseRepositoryName,
  parseTag,
  type Digest,
  type ParsedManifest,
} from '@entrepot/oci';
import type { Pool, PoolClient } from 'pg';
import {
  PostgresContentReader,
  PostgresRepositories,
  PostgresUnitOfWork,
  PostgresUploads,
  createPool,
  type DatabaseSettings,
} from '../index.js';

const GRACE_MS = 60_000;
const IMAGE = 'application/vnd.oci.image.manifest.v1+json';
const INDEX = 'application/vnd.oci.image.index.v1+json';

export interface Document {
  readonly payload: Buffer;
  readonly digest: Digest;
  readonly manifest: ParsedManifest;
}

/** A transaction that is held open until it is ended. */
export interface HeldTransaction {
  commit(): Promise<void>;
  rollBack(): Promise<void>;
}

/** A user with a repository of its own, and the data plane's operations on it over a real database. */
export class ContentWorld {
  readonly store = new MemoryBlobStore();
  readonly owner: Pool;
  readonly pool: Pool;
  /** As work in the background reaches the database. */
  readonly jobs: Pool;
  readonly reader: PostgresContentReader;
  readonly work: PostgresUnitOfWork;
  readonly room: PushRoom;
  readonly actor: Actor & { readonly id: string } = { id: randomUUID(), name: `user-${randomUUID().slice(0, 8)}` };
  repositoryId = '';

  /** `way`: how the data plane reaches the database, where that is another way than the tests' own. */
  constructor(url: string, way: Partial<DatabaseSettings> = {}) {
    const timeouts = { statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
    this.owner = createPool({ url, role: 'owner', poolSize: 2, ...timeouts });
    this.pool = createPool({ url, role: 'registry', poolSize: 8, ...timeouts, ...way });
    this.jobs = createPool({ url, role: 'jobrunner', poolSize: 4, ...timeouts });
    this.reader = new PostgresContentReader(this.pool, this.pool);
    this.work = new PostgresUnitOfWork(this.pool);
    this.room = {
      uploads: new PostgresUploads(this.pool),
      store: this.store,
      hashes: new RunningHashes(),
      leaseMs: 15_000,
      graceMs: GRACE_MS,
      maxBlobBytes: 1024 * 1024,
      maxUploads: 100,
      newId: randomUUID,
    };
  }

  async open(): Promise<void> {
    const { id, name } = this.actor;
    await this.owner.query('INSERT INTO namespace (id, name, kind) VALUES ($1, $2, $3)', [id, name, 'user']);
    await this.owner.query('INSERT INTO account (id) VALUES ($1)', [id]);
    this.repositoryId = await this.newRepository('app');
  }

  async close(): Promise<void> {
    await Promise.all([this.pool.end(), this.jobs.end(), this.owner.end()]);
  }

  async newRepository(name: string): Promise<string> {
    const wanted = {
      name: parseRepositoryName(`${this.actor.name}/${name}`),
      namespaceId: this.actor.id,
      createdBy: this.actor,
    };
    const repository = await new PostgresRepositories(this.pool).findOrCreate(wanted);
    if (!repository) throw new Error('no repository');
    return repository.id;
  }

  get removal(): Removal {
    const { repositoryId, actor } = this;
    return { repositoryId, repositoryName: parseRepositoryName(`${actor.name}/app`), actor, graceMs: GRACE_MS };
  }

  begin(into = this.repositoryId): Promise<UploadRef> {
    return startUpload(this.room, { repositoryId: into, accountId: this.actor.id, algorithm: 'sha256' });
  }

  async pushBlob(content: string, into = this.repositoryId): Promise<Digest> {
    const digest = sha256(content);
    const body = (async function* () {
      yield Buffer.from(content);
    })();
    await finishUpload(this.room, {
      ref: await this.begin(into),
      digest,
      last: { position: { stateOffset: 0 }, body },
    });
    return digest;
  }

  put(document: Document, tags: readonly string[] = [], sparse: SparsePolicy = 'refuse'): Promise<void> {
    const { repositoryId, repositoryName, actor } = this.removal;
    const rules = { sparse, graceMs: GRACE_MS };
    return putManifest(this.work, rules, {
      repositoryId,
      repositoryName,
      actor,
      tags: tags.map(parseTag),
      ...document,
    });
  }

  holdsBlob(digest: Digest): Promise<boolean> {
    return this.reader.blob(this.repositoryId, digest).then((blob) => blob !== undefined);
  }

  holdsManifest({ digest }: Document): Promise<boolean> {
    return this.reader.manifestByDigest(this.repositoryId, digest).then((manifest) => manifest !== undefined);
  }

  /** Runs the statements and leaves their transaction open, with every lock that they took. */
  async hold(statements: (tx: ContentTransaction) => Promise<unknown>): Promise<HeldTransaction> {
    const ran = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    const done = this.work.run(async (tx) => {
      await statements(tx);
      ran.resolve();
      await released.promise;
    });
    await Promise.race([ran.promise, done]);
    return {
      commit: () => {
        released.resolve();
        return done;
      },
      rollBack: async () => {
        released.reject(new Error('rolled back'));
        await done.catch(() => undefined);
      },
    };
  }

  /** A transaction of somebody else's statements, on a connection of its own. */
  async holdSql(statements: (client: PoolClient) => Promise<unknown>): Promise<HeldTransaction> {
    const client = await this.owner.connect();
    await client.query('BEGIN');
    await statements(client);
    const end = async (statement: 'COMMIT' | 'ROLLBACK') => {
      await client.query(statement);
      client.release();
    };
    return { commit: () => end('COMMIT'), rollBack: () => end('ROLLBACK') };
  }

  /** Lets the second change run into the first, then ends the first. Resolves with how the second ended. */
  async overtake(
    first: HeldTransaction,
    second: Promise<unknown>,
    end: 'commit' | 'rollBack' = 'commit',
  ): Promise<unknown> {
    const outcome = outcomeOf(second);
    await this.untilWaiting();
    await first[end]();
    return outcome;
  }

  /** Resolves once a connection to this database waits for a lock. */
  async untilWaiting(): Promise<void> {
    for (;;) {
      const { rows } = await this.owner.query<{ n: number }>(
        `SELECT count(*)::int AS n FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`,
      );
      if ((rows[0]?.n ?? 0) > 0) return;
    }
  }
}

/** 'done', the code of a refusal, or whatever else was thrown. */
export function outcomeOf(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => 'done',
    (error: unknown) => (error instanceof RegistryError ? error.code : error),
  );
}

export function sha256(bytes: Uint8Array | string): Digest {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}` as Digest;
}

function documentOf(mediaType: string, fields: Record<string, unknown>): Document {
  const payload = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, ...fields }));
  return { payload, digest: sha256(payload), manifest: parseManifest(payload, mediaType) };
}

/** An image over blobs that are given with their sizes; no other is like it. */
export function imageOf(blobs: readonly [Digest, number][], subject?: Document): Document {
  const [config, ...layers] = blobs.map(([digest, size]) => ({ mediaType: 'application/x-test', digest, size }));
  return documentOf(IMAGE, {
    config,
    layers,
    annotations: { nonce: randomUUID() },
    ...(subject && { subject: entryOf(subject) }),
  });
}

export function indexOf(...documents: readonly Document[]): Document {
  return documentOf(INDEX, { manifests: documents.map(entryOf), annotations: { nonce: randomUUID() } });
}

function entryOf({ manifest, digest, payload }: Document) {
  return { mediaType: manifest.mediaType, digest, size: payload.byteLength };
}
