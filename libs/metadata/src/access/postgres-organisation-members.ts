import type { MemberRole, OrganisationMembers } from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { OrganisationMemberRow } from './access-rows.js';

export class PostgresOrganisationMembers implements OrganisationMembers {
  constructor(private readonly manager: EntityManager) {}

  async find(namespaceId: string, accountId: string): Promise<MemberRole | undefined> {
    const row = await this.manager.findOneBy(OrganisationMemberRow, { namespaceId, accountId });
    return row?.role;
  }

  async put(namespaceId: string, accountId: string, role: MemberRole): Promise<void> {
    await this.manager.upsert(OrganisationMemberRow, { namespaceId, accountId, role }, ['namespaceId', 'accountId']);
  }

  async remove(namespaceId: string, accountId: string): Promise<void> {
    await this.manager.delete(OrganisationMemberRow, { namespaceId, accountId });
  }

  async lockOwners(namespaceId: string): Promise<string[]> {
    const rows = await this.manager.find(OrganisationMemberRow, {
      where: { namespaceId, role: 'owner' },
      order: { accountId: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    return rows.map((row) => row.accountId);
  }
}
