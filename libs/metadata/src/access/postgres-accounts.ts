import type { AccountRecord, Accounts } from '@entrepot/access';
import type { EntityManager } from 'typeorm';
import { AccountRow, NamespaceRow } from './access-rows.js';

export class PostgresAccounts implements Accounts {
  constructor(private readonly manager: EntityManager) {}

  async find(name: string): Promise<AccountRecord | undefined> {
    const row = await this.manager
      .createQueryBuilder(AccountRow, 'account')
      .innerJoin(NamespaceRow, 'namespace', 'namespace.id = account.id')
      .where('namespace.name = :name', { name })
      .getOne();
    if (!row) return undefined;
    const { id, isAdmin, isDisabled, passwordHash } = row;
    return { id, name, isAdmin, isDisabled, passwordHash: passwordHash ?? undefined };
  }

  async insert({ id, isAdmin, isDisabled, passwordHash }: AccountRecord): Promise<void> {
    await this.manager.insert(AccountRow, { id, isAdmin, isDisabled, passwordHash: passwordHash ?? null });
  }

  async setDisabled(id: string, isDisabled: boolean): Promise<void> {
    await this.manager.update(AccountRow, { id }, { isDisabled });
  }

  async setPasswordHash(id: string, passwordHash: string): Promise<void> {
    await this.manager.update(AccountRow, { id }, { passwordHash });
  }

  async lockActiveAdministrators(): Promise<string[]> {
    const rows = await this.manager.find(AccountRow, {
      where: { isAdmin: true, isDisabled: false },
      order: { id: 'ASC' },
      lock: { mode: 'pessimistic_write' },
    });
    return rows.map((row) => row.id);
  }

  /** Rows are taken in order of their ids, so that two withdrawals do not deadlock. */
  async withdrawAccess(ids: readonly string[]): Promise<void> {
    await this.manager.query(
      `WITH due AS (SELECT id FROM account WHERE id = ANY ($1::uuid[]) ORDER BY id FOR NO KEY UPDATE)
       UPDATE account a SET access_version = a.access_version + 1, access_changed_at = now()
       FROM due WHERE a.id = due.id`,
      [ids],
    );
  }

  async withdrawCredentials(id: string): Promise<void> {
    await this.manager.query(
      `UPDATE account SET access_version = access_version + 1, access_changed_at = now(),
         credential_version = credential_version + 1
       WHERE id = $1`,
      [id],
    );
  }
}
