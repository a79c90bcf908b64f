import { AccessError, createRepository, deleteRepository, type Administration } from '@entrepot/access';
import { PostgresAccessUnitOfWork, createDataSource } from '@entrepot/metadata';
import { parseRepositoryName } from '@entrepot/oci';

/** What operators do with the `entrepot` command, without a process for each. */
export interface Undo {
  createRepository(name: string): Promise<void>;
  deleteRepository(name: string): Promise<void>;
  close(): Promise<void>;
}

export async function openUndo(databaseUrl: string): Promise<Undo> {
  const settings = { role: 'owner', poolSize: 4, statementTimeoutMs: 60_000, lockTimeoutMs: 10_000 } as const;
  const source = createDataSource({ url: databaseUrl, ...settings });
  await source.initialize();
  const administration: Administration = {
    store: new PostgresAccessUnitOfWork(source),
    actor: { id: undefined, name: 'storm' },
  };
  return {
    createRepository: async (name) => {
      await createRepository(administration, { name: parseRepositoryName(name), visibility: 'private' }).catch(
        unlessTaken,
      );
    },
    deleteRepository: (name) => deleteRepository(administration, parseRepositoryName(name)),
    close: () => source.destroy(),
  };
}

/** Somebody's push may have made it first. */
function unlessTaken(error: unknown): void {
  if (!(error instanceof AccessError && error.code === 'NAME_TAKEN')) throw error;
}
