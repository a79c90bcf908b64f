/** What a token can say about a repository. */
export type RepositoryAction = 'pull' | 'push' | 'delete';

export const REPOSITORY_ACTIONS: readonly RepositoryAction[] = ['pull', 'push', 'delete'];

/** A repository's first access version; the one that a repository created later will have. */
export const FIRST_ACCESS_VERSION = 1;

/** Granted access to the repository of one name. */
export interface RepositoryAccess {
  readonly actions: ReadonlySet<RepositoryAction>;
  /**
   * The only repository that this opens. Undefined where none of that name existed: then it opens one that the same
   * account created in `namespaceId` since, and no other.
   */
  readonly repositoryId: string | undefined;
  readonly namespaceId: string;
  /** The repository's access version when access was granted; older than the current one, it is withdrawn. */
  readonly version: number;
}

/** The intersection of what was asked and what is allowed. */
export interface GrantedAccess {
  /** By canonical repository name; names with nothing granted are left out. */
  readonly repositories: ReadonlyMap<string, RepositoryAccess>;
  /** May list the catalog. */
  readonly catalog: boolean;
  /** May mount from any repository that the account may pull, without naming it here (scope `registry:mount:pull`). */
  readonly mount: boolean;
}

/** A repository as the data plane found it under a name. */
export interface FoundRepository {
  readonly id: string;
  readonly namespaceId: string;
  readonly createdBy?: string | undefined;
}

/**
 * Does the access concern this very repository, and not another one that had, or has got, the same name?
 * `accountId` is whom the access was granted to.
 */
export function concernsRepository(
  access: RepositoryAccess,
  accountId: string | undefined,
  repository: FoundRepository,
): boolean {
  if (access.repositoryId !== undefined) return access.repositoryId === repository.id;
  return accountId !== undefined && repository.createdBy === accountId && access.namespaceId === repository.namespaceId;
}
