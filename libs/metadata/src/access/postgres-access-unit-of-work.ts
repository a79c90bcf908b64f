import type { AccessTransaction, AccessUnitOfWork, AuditEvent } from '@entrepot/access';
import { QueryFailedError } from 'typeorm';
import type { DataSource, EntityManager } from 'typeorm';
import { translateDatabaseError } from '../database/errors.js';
import { repeat } from '../database/repeat.js';
import { PostgresAccounts } from './postgres-accounts.js';
import { PostgresAdministeredRepositories } from './postgres-administered-repositories.js';
import { PostgresGrants } from './postgres-grants.js';
import { PostgresNamespaces } from './postgres-namespaces.js';
import { PostgresOrganisationMembers } from './postgres-organisation-members.js';
import { PostgresTeams } from './postgres-teams.js';

/** Changes of who may, each in one transaction of TypeORM's. */
export class PostgresAccessUnitOfWork implements AccessUnitOfWork {
  constructor(private readonly source: DataSource) {}

  run<T>(work: (tx: AccessTransaction) => Promise<T>): Promise<T> {
    return repeat({ patienceMs: 0 }, () => this.#runOnce(work));
  }

  async #runOnce<T>(work: (tx: AccessTransaction) => Promise<T>): Promise<T> {
    try {
      return await this.source.transaction((manager) => work(transactionOn(manager)));
    } catch (error) {
      throw translateDatabaseError(error instanceof QueryFailedError ? error.driverError : error);
    }
  }
}

function transactionOn(manager: EntityManager): AccessTransaction {
  return {
    namespaces: new PostgresNamespaces(manager),
    accounts: new PostgresAccounts(manager),
    members: new PostgresOrganisationMembers(manager),
    teams: new PostgresTeams(manager),
    repositories: new PostgresAdministeredRepositories(manager),
    grants: new PostgresGrants(manager),
    async audit({ actor, action, target, detail }: AuditEvent) {
      await manager.query(
        'INSERT INTO audit_event (actor_id, actor_name, action, target, detail) VALUES ($1, $2, $3, $4, $5)',
        [actor.id ?? null, actor.name, action, target, JSON.stringify(detail)],
      );
    },
  };
}
