import {
  AccessError,
  createRepository,
  deleteRepository,
  restoreRepository,
  type Administration,
} from '@entrepot/access';
import { purgeManifest, restoreManifest, restoreTag, type UndoRoom } from '@entrepot/content';
import {
  PostgresAccessUnitOfWork,
  PostgresRepositories,
  PostgresUnitOfWork,
  createDataSource,
  createPool,
} from '@entrepot/metadata';
import { RegistryError, parseRepositoryName, parseTag, type Digest } from '@entrepot/oci';

/** What operators do with the `entrepot` command, without a process for each. What is too late is undefined or false. */
export interface Undo {
  createRepository(name: string): Promise<void>;
  deleteRepository(name: string): Promise<void>;
  restoreRepository(name: string): Promise<boolean>;
  /** Resolves with what the tag points at. */
  restoreTag(repository: string, tag: string): Promise<string | undefined>;
  restoreManifest(repository: string, digest: string): Promise<boolean>;
  /** Resolves with all that is gone for good. */
  purgeManifest(repository: string, digest: string): Promise<readonly string[] | undefined>;
  close(): Promise<void>;
}

/** `terms`: what the running product is set to. */
export async function openUndo(databaseUrl: string, terms: Pick<UndoRoom, 'graceMs' | 'undoMs'>): Promise<Undo> {
  const settings = { url: databaseUrl, poolSize: 4, statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 };
  const source = createDataSource({ ...settings, role: 'owner' });
  await source.initialize();
  const pool = createPool({ ...settings, role: 'owner' });
  const actor = { id: undefined, name: 'storm' };
  const administration: Administration = { store: new PostgresAccessUnitOfWork(source), actor };
  const repositories = new PostgresRepositories(pool);
  const roomOf = async (name: string): Promise<UndoRoom> => {
    const repositoryName = parseRepositoryName(name);
    const { id: repositoryId = '' } = (await repositories.find(repositoryName)) ?? {};
    return { work: new PostgresUnitOfWork(pool), repositoryId, repositoryName, actor, ...terms };
  };
  return {
    createRepository: async (name) => {
      // Somebody's push may have made it first.
      const wanted = { name: parseRepositoryName(name), visibility: 'private' } as const;
      await unlessRefused(createRepository(administration, wanted));
    },
    deleteRepository: (name) => deleteRepository(administration, parseRepositoryName(name)),
    restoreRepository: async (name) =>
      (await unlessRefused(restoreRepository(administration, { which: { name } }))) !== undefined,
    restoreTag: async (repository, tag) =>
      (await unlessRefused(restoreTag(await roomOf(repository), parseTag(tag))))?.digest,
    restoreManifest: async (repository, digest) =>
      (await unlessRefused(restoreManifest(await roomOf(repository), digest as Digest))) !== undefined,
    purgeManifest: async (repository, digest) =>
      (await unlessRefused(purgeManifest(await roomOf(repository), digest as Digest)))?.digests,
    close: async () => {
      await pool.end();
      await source.destroy();
    },
  };
}

/** A refusal is an answer; anything else ends the storm. */
async function unlessRefused<T>(work: Promise<T>): Promise<T | undefined> {
  return work.catch((error: unknown) => {
    if (error instanceof AccessError || (error instanceof RegistryError && error.status < 500)) return undefined;
    throw error;
  });
}
