import { AccessError } from '../errors.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import type {
  AccessTransaction,
  AccessUnitOfWork,
  AccountRecord,
  Actor,
  NamespaceRecord,
  RepositoryRecord,
  TeamRecord,
} from '../ports/administration.js';

/**
 * What every administrative operation works with: where it writes, and in whose name. Each runs in one transaction,
 * leaves an audit row, and, where it takes rights away, raises the versions that end the tokens concerned. Operations
 * do not ask whether the actor may: their callers do, by `decide`.
 */
export interface Administration {
  readonly store: AccessUnitOfWork;
  readonly actor: Actor;
}

/** For operations that set a password. */
export interface PasswordAdministration extends Administration {
  readonly passwords: PasswordHasher;
}

/** @throws AccessError NOT_FOUND */
export async function requireAccount(tx: AccessTransaction, name: string): Promise<AccountRecord> {
  return (await tx.accounts.find(name)) ?? missing('user', name);
}

/** @throws AccessError NOT_FOUND */
export async function requireNamespace(tx: AccessTransaction, name: string): Promise<NamespaceRecord> {
  return (await tx.namespaces.find(name)) ?? missing('user or organisation', name);
}

/** @throws AccessError NOT_FOUND */
export async function requireOrganisation(tx: AccessTransaction, name: string): Promise<NamespaceRecord> {
  const found = await tx.namespaces.find(name);
  return found?.kind === 'organisation' ? found : missing('organisation', name);
}

/** @throws AccessError NOT_FOUND */
export async function requireTeam(tx: AccessTransaction, namespaceId: string, name: string): Promise<TeamRecord> {
  return (await tx.teams.find(namespaceId, name)) ?? missing('team', name);
}

/** `name` is canonical. @throws AccessError NOT_FOUND */
export async function requireRepository(tx: AccessTransaction, name: string): Promise<RepositoryRecord> {
  return (await tx.repositories.find(name)) ?? missing('repository', name);
}

function missing(kind: string, name: string): never {
  throw new AccessError('NOT_FOUND', `there is no ${kind} ${name}`);
}
