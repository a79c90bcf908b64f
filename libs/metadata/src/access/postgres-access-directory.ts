import type {
  AccessDirectory,
  AccountEntry,
  DeletedRepositoryEntry,
  DirectoryPage,
  GrantEntry,
  MemberEntry,
  OrganisationEntry,
  RepositoryEntry,
  TeamEntry,
} from '@entrepot/access';
import type { DataSource } from 'typeorm';
import { translateDatabaseError } from '../database/errors.js';

const ORGANISATION = `SELECT id FROM namespace WHERE name = $3 AND kind = 'organisation'`;

/** Lists by key: $1 is the last name of the page before, $2 the size of the page. */
export class PostgresAccessDirectory implements AccessDirectory {
  constructor(private readonly source: DataSource) {}

  accounts(page: DirectoryPage): Promise<AccountEntry[]> {
    return this.#list(
      `SELECT n.name, a.is_admin AS "isAdmin", a.is_disabled AS "isDisabled", a.created_at AS "createdAt"
       FROM namespace n JOIN account a ON a.id = n.id WHERE n.name > $1 ORDER BY n.name LIMIT $2`,
      page,
    );
  }

  organisations(page: DirectoryPage): Promise<OrganisationEntry[]> {
    return this.#list(
      `SELECT name, default_visibility AS "defaultVisibility", created_at AS "createdAt"
       FROM namespace WHERE kind = 'organisation' AND name > $1 ORDER BY name LIMIT $2`,
      page,
    );
  }

  members(organisation: string, page: DirectoryPage): Promise<MemberEntry[]> {
    return this.#list(
      `SELECT n.name, m.role FROM organisation_member m JOIN namespace n ON n.id = m.account_id
       WHERE m.namespace_id = (${ORGANISATION}) AND n.name > $1 ORDER BY n.name LIMIT $2`,
      page,
      organisation,
    );
  }

  teams(organisation: string, page: DirectoryPage): Promise<TeamEntry[]> {
    return this.#list(
      `SELECT name, created_at AS "createdAt" FROM team
       WHERE namespace_id = (${ORGANISATION}) AND name > $1 ORDER BY name LIMIT $2`,
      page,
      organisation,
    );
  }

  async teamMembers(organisation: string, team: string, page: DirectoryPage): Promise<string[]> {
    const rows = await this.#list<{ name: string }>(
      `SELECT n.name FROM team t JOIN team_member m ON m.team_id = t.id JOIN namespace n ON n.id = m.account_id
       WHERE t.namespace_id = (${ORGANISATION}) AND t.name = $4 AND n.name > $1 ORDER BY n.name LIMIT $2`,
      page,
      organisation,
      team,
    );
    return rows.map((row) => row.name);
  }

  repositories(page: DirectoryPage): Promise<RepositoryEntry[]> {
    return this.#list(
      `SELECT name, visibility, created_at AS "createdAt" FROM repository
       WHERE deleted_at IS NULL AND name > $1 ORDER BY name LIMIT $2`,
      page,
    );
  }

  deletedRepositories(page: DirectoryPage): Promise<DeletedRepositoryEntry[]> {
    return this.#list(
      `SELECT deleted_name AS name, id, visibility, deleted_at AS "deletedAt", deleted_by AS "deletedBy", name AS key
       FROM repository WHERE deleted_at IS NOT NULL AND removal_began_at IS NULL AND name > $1 ORDER BY name LIMIT $2`,
      page,
    );
  }

  grants(resource: string, page: DirectoryPage): Promise<GrantEntry[]> {
    return this.#list(
      `SELECT role, grantee FROM (
         SELECT g.role, (CASE WHEN g.team_id IS NULL THEN 'user:' || u.name ELSE 'team:' || o.name || '/' || t.name END)
           COLLATE "C" AS grantee
         FROM access_grant g
         LEFT JOIN namespace u ON u.id = g.account_id
         LEFT JOIN team t ON t.id = g.team_id
         LEFT JOIN namespace o ON o.id = t.namespace_id
         WHERE g.repository_id = (SELECT id FROM repository WHERE name = $3)
            OR g.namespace_id = (SELECT id FROM namespace WHERE name = $3)
       ) held WHERE grantee > $1 ORDER BY grantee LIMIT $2`,
      page,
      resource,
    );
  }

  async #list<Row>(text: string, page: DirectoryPage, ...names: readonly string[]): Promise<Row[]> {
    try {
      return await this.source.query<Row[]>(text, [page.last ?? '', page.limit, ...names]);
    } catch (error) {
      throw translateDatabaseError(error);
    }
  }
}
