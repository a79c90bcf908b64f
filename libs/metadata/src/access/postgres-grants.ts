import type { GrantKey, Grants, Role } from '@entrepot/access';
import { randomUUID } from 'node:crypto';
import type { EntityManager } from 'typeorm';

/** Column values of a key, in the order of `access_grant_key`. */
function columnsOf({ resource, grantee }: GrantKey): (string | null)[] {
  return [
    'repositoryId' in resource ? resource.repositoryId : null,
    'namespaceId' in resource ? resource.namespaceId : null,
    'teamId' in grantee ? grantee.teamId : null,
    'accountId' in grantee ? grantee.accountId : null,
  ];
}

const KEY_MATCHES = `
  repository_id IS NOT DISTINCT FROM $1::uuid AND namespace_id IS NOT DISTINCT FROM $2::uuid
  AND team_id IS NOT DISTINCT FROM $3::uuid AND account_id IS NOT DISTINCT FROM $4::uuid`;

/** Written SQL: the key is unique with its nulls, which the mapper's upsert cannot say. */
export class PostgresGrants implements Grants {
  constructor(private readonly manager: EntityManager) {}

  async lock(key: GrantKey): Promise<Role | undefined> {
    const rows: { role: Role }[] = await this.manager.query(
      `SELECT role FROM access_grant WHERE ${KEY_MATCHES} FOR UPDATE`,
      columnsOf(key),
    );
    return rows[0]?.role;
  }

  async put(key: GrantKey, role: Role): Promise<void> {
    await this.manager.query(
      `INSERT INTO access_grant (repository_id, namespace_id, team_id, account_id, role, id)
       VALUES ($1, $2, $3, $4, $5, $6)
       ON CONFLICT ON CONSTRAINT access_grant_key DO UPDATE SET role = excluded.role`,
      [...columnsOf(key), role, randomUUID()],
    );
  }

  async remove(key: GrantKey): Promise<void> {
    await this.manager.query(`DELETE FROM access_grant WHERE ${KEY_MATCHES}`, columnsOf(key));
  }
}
