import type {
  Actor,
  AdministeredRepositories,
  DeletedKey,
  DeletedRepositoryRecord,
  RepositoryRecord,
  Visibility,
} from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { RepositoryRow } from './access-rows.js';
import { deleteRepository, restoreRepository } from './delete-repository.js';
import { insertUnlessTaken } from './insert-unless-taken.js';

interface FoundRow {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: string;
  readonly visibility: Visibility;
  readonly createdBy: string | null;
}

const COLUMNS = 'id, namespace_id AS "namespaceId", visibility, created_by AS "createdBy"';

function toRecord({ id, namespaceId, name, visibility, createdBy }: FoundRow): RepositoryRecord {
  return { id, namespaceId, name, visibility, createdBy: createdBy ?? undefined };
}

export class PostgresAdministeredRepositories implements AdministeredRepositories {
  constructor(private readonly manager: EntityManager) {}

  async find(name: string): Promise<RepositoryRecord | undefined> {
    const [row] = await this.manager.query<FoundRow[]>(
      `SELECT ${COLUMNS}, name FROM repository WHERE name = $1 AND deleted_at IS NULL FOR KEY SHARE`,
      [name],
    );
    return row && toRecord(row);
  }

  async findDeleted({ name, id }: DeletedKey): Promise<DeletedRepositoryRecord | undefined> {
    const [row] = await this.manager.query<(FoundRow & { readonly isBeingRemoved: boolean })[]>(
      `SELECT ${COLUMNS}, deleted_name AS name, removal_began_at IS NOT NULL AS "isBeingRemoved" FROM repository
       WHERE deleted_name = $1 AND ($2::uuid IS NULL OR id = $2)
       ORDER BY removal_began_at IS NULL DESC, deleted_at DESC LIMIT 1 FOR UPDATE`,
      [name, id ?? null],
    );
    return row && { ...toRecord(row), isBeingRemoved: row.isBeingRemoved };
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

  delete(repository: RepositoryRecord, actor: Actor): Promise<boolean> {
    return deleteRepository(this.manager, repository, actor);
  }

  restore(repository: RepositoryRecord, actor: Actor): Promise<boolean> {
    return restoreRepository(this.manager, repository, actor);
  }

  /** A time that every undo is over since: whoever looks for what is to be removed finds it at once. */
  async condemn(id: string): Promise<void> {
    await this.manager.query(
      `UPDATE repository SET deleted_at = 'epoch', removal_began_at = coalesce(removal_began_at, now())
       WHERE id = $1 AND deleted_at IS NOT NULL`,
      [id],
    );
  }

  async removeGrants(id: string): Promise<void> {
    await this.manager.query('DELETE FROM access_grant WHERE repository_id = $1', [id]);
  }
}
