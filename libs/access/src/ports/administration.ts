import type { Role, Visibility } from '../grants/subject.js';

/** Who changes something, for the audit log; without an id where it is no account (the command line). */
export interface Actor {
  readonly id: string | undefined;
  readonly name: string;
}

export interface AuditEvent {
  readonly actor: Actor;
  /** Past tense: `account.disabled`. */
  readonly action: string;
  /** Name of what it was done to. */
  readonly target: string;
  /** Never a secret. */
  readonly detail: Readonly<Record<string, unknown>>;
}

export interface NamespaceRecord {
  readonly id: string;
  readonly name: string;
  readonly kind: 'user' | 'organisation';
  readonly defaultVisibility: Visibility;
}

export interface AccountRecord {
  readonly id: string;
  readonly name: string;
  readonly isAdmin: boolean;
  readonly isDisabled: boolean;
  readonly passwordHash: string | undefined;
}

export interface TeamRecord {
  readonly id: string;
  readonly namespaceId: string;
  readonly name: string;
}

export interface RepositoryRecord {
  readonly id: string;
  readonly namespaceId: string;
  /** Canonical. */
  readonly name: string;
  readonly visibility: Visibility;
  readonly createdBy: string | undefined;
}

export type MemberRole = 'owner' | 'member';

export type Grantee = { readonly accountId: string } | { readonly teamId: string };
export type GrantedResource = { readonly repositoryId: string } | { readonly namespaceId: string };

export interface GrantKey {
  readonly grantee: Grantee;
  readonly resource: GrantedResource;
}

export interface Namespaces {
  find(name: string): Promise<NamespaceRecord | undefined>;
  /** False where the name is taken. */
  insert(namespace: NamespaceRecord): Promise<boolean>;
}

export interface Accounts {
  find(name: string): Promise<AccountRecord | undefined>;
  /** The namespace of the same id exists. */
  insert(account: AccountRecord): Promise<void>;
  setDisabled(id: string, isDisabled: boolean): Promise<void>;
  setPasswordHash(id: string, passwordHash: string): Promise<void>;
  /** Ids of administrators that are not disabled; locked, so that they cannot all go at once. */
  lockActiveAdministrators(): Promise<string[]>;
  /** Ends every access token of the accounts. */
  withdrawAccess(ids: readonly string[]): Promise<void>;
  /** Ends every access token and every refresh token of the account. */
  withdrawCredentials(id: string): Promise<void>;
}

export interface OrganisationMembers {
  find(namespaceId: string, accountId: string): Promise<MemberRole | undefined>;
  put(namespaceId: string, accountId: string, role: MemberRole): Promise<void>;
  remove(namespaceId: string, accountId: string): Promise<void>;
  /** Ids of the owners; locked, so that the last two cannot leave at once. */
  lockOwners(namespaceId: string): Promise<string[]>;
}

export interface Teams {
  find(namespaceId: string, name: string): Promise<TeamRecord | undefined>;
  /** False where the name is taken. */
  insert(team: TeamRecord): Promise<boolean>;
  addMember(teamId: string, accountId: string): Promise<void>;
  /** False where the account is no member. */
  removeMember(teamId: string, accountId: string): Promise<boolean>;
  removeFromAll(namespaceId: string, accountId: string): Promise<void>;
  /** Ids of the members; none can join until the transaction ends. */
  lockMembers(teamId: string): Promise<string[]>;
}

/** The deleted repository that had this name; of several the one with the id, or else the one that was deleted last. */
export interface DeletedKey {
  readonly name: string;
  readonly id?: string;
}

export interface DeletedRepositoryRecord extends RepositoryRecord {
  /** Its removal has begun: it cannot be restored any more. */
  readonly isBeingRemoved: boolean;
}

export interface AdministeredRepositories {
  /** Locked against deletion and renaming until the transaction ends. */
  find(name: string): Promise<RepositoryRecord | undefined>;
  /** The same for a deleted one, locked against every change. */
  findDeleted(key: DeletedKey): Promise<DeletedRepositoryRecord | undefined>;
  /** False where the name is taken. */
  insert(repository: RepositoryRecord): Promise<boolean>;
  setVisibility(id: string, visibility: Visibility): Promise<void>;
  /** Ends what access tokens say about the repository. */
  withdrawAccess(id: string): Promise<void>;
  /**
   * Hides the repository from everyone and frees its name; content and grants stay, uploads end, and so does what access
   * tokens say about it. False where another was first.
   */
  delete(repository: RepositoryRecord, actor: Actor): Promise<boolean>;
  /** Gives a deleted repository back as what the record says. False where its name is taken. */
  restore(repository: RepositoryRecord, actor: Actor): Promise<boolean>;
  /** From now on a deleted repository cannot be restored, and is removed without waiting for the end of undo. */
  condemn(id: string): Promise<void>;
  removeGrants(id: string): Promise<void>;
}

export interface Grants {
  /** The role now granted, locked against change; undefined where there is none. */
  lock(key: GrantKey): Promise<Role | undefined>;
  put(key: GrantKey, role: Role): Promise<void>;
  remove(key: GrantKey): Promise<void>;
}

/** Everything that one change of who may touches. */
export interface AccessTransaction {
  readonly namespaces: Namespaces;
  readonly accounts: Accounts;
  readonly members: OrganisationMembers;
  readonly teams: Teams;
  readonly repositories: AdministeredRepositories;
  readonly grants: Grants;
  audit(event: AuditEvent): Promise<void>;
}

export interface AccessUnitOfWork {
  /** Runs `work` in one transaction; commits when it resolves. */
  run<T>(work: (tx: AccessTransaction) => Promise<T>): Promise<T>;
}
