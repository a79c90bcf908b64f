import type { Actor, AdministeredRepositories, RepositoryRecord, Visibility } from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { RepositoryRow } from './access-rows.js';
import { insertUnlessTaken } from './insert-unless-taken.js';
import { removeRepository } from './remove-repository.js';

export class PostgresAdministeredRepositories implements AdministeredRepositories {
  constructor(private readonly manager: EntityManager) {}

  async find(name: string): Promise<RepositoryRecord | undefined> {
    const row = await this.manager.findOneBy(RepositoryRow, { name });
    if (!row) return undefined;
    const { id, namespaceId, visibility, createdBy } = row;
    return { id, namespaceId, name, visibility, createdBy: createdBy ?? undefined };
  }

  insert({ createdBy, ...repository }: RepositoryRecord): Promise<boolean> {
    return insertUnlessTaken(this.manager, RepositoryRow, { ...repository, createdBy: createdBy ?? null });
  }

  async setVisibility(id: string, visibility: Visibility): Promise<void> {
    await this.manager.update(RepositoryRow, { id }, { visibility });
  }

  async withdrawAccess(id: string): Promise<void> {
    await this.manager.query(
      'UPDATE repository SET access_version = access_version + 1, access_changed_at = now() WHERE id = $1',
      [id],
    );
  }

  async remove(repository: RepositoryRecord, actor: Actor): Promise<void> {
    await removeRepository(this.manager, repository, actor);
  }
}
