import type { RequestedScope } from '@entrepot/oci';
import { decide } from './decide.js';
import { FIRST_ACCESS_VERSION, REPOSITORY_ACTIONS } from './granted-access.js';
import type { GrantedAccess, RepositoryAccess, RepositoryAction } from './granted-access.js';
import type { Subject, Visibility } from './subject.js';

/** What stands under a repository name: its namespace, and the repository if there is one. */
export interface ScopeTarget {
  readonly namespaceId: string;
  readonly repository:
    { readonly id: string; readonly visibility: Visibility; readonly accessVersion: number } | undefined;
}

export interface AccessFacts {
  readonly subject: Subject;
  /** By canonical repository name; absent where not even the namespace exists. */
  readonly targets: ReadonlyMap<string, ScopeTarget>;
}

/** Names of the repositories that the scopes speak of, for loading facts about them. */
export function repositoryNamesOf(scopes: readonly RequestedScope[]): string[] {
  return [...new Set(scopes.flatMap((scope) => scope.repository ?? []))];
}

/**
 * Reduces what was asked to what is allowed. Unknown types and actions, missing repositories and forbidden ones all
 * end the same way: nothing granted, no error. `*` asks for every action that the caller has.
 */
export function grantScopes(facts: AccessFacts, scopes: readonly RequestedScope[]): GrantedAccess {
  const repositories = new Map<string, RepositoryAccess>();
  let catalog = false;
  let mount = false;
  for (const scope of scopes) {
    if (scope.type === 'registry' && scope.name === 'catalog') {
      catalog ||= scope.actions.includes('*') && decide(facts.subject, 'list', { kind: 'catalog' });
    } else if (scope.type === 'registry' && scope.name === 'mount') {
      mount ||= scope.actions.includes('pull') && decide(facts.subject, 'mount', { kind: 'catalog' });
    } else if (scope.repository !== undefined) {
      const access = grantRepository(facts, scope, repositories.get(scope.repository));
      if (access) repositories.set(scope.repository, access);
    }
  }
  return { repositories, catalog, mount };
}

function grantRepository(
  facts: AccessFacts,
  scope: RequestedScope,
  earlier: RepositoryAccess | undefined,
): RepositoryAccess | undefined {
  const target = facts.targets.get(scope.name);
  if (!target) return undefined;
  const allowed = target.repository
    ? allowedOn(facts.subject, target.namespaceId, target.repository)
    : allowedOnNew(facts.subject, target.namespaceId);
  const asked = scope.actions.includes('*') ? allowed : allowed.filter((action) => scope.actions.includes(action));
  if (asked.length === 0) return earlier;
  return {
    actions: new Set([...(earlier?.actions ?? []), ...asked]),
    repositoryId: target.repository?.id,
    namespaceId: target.namespaceId,
    version: target.repository?.accessVersion ?? FIRST_ACCESS_VERSION,
  };
}

function allowedOn(
  subject: Subject,
  namespaceId: string,
  repository: NonNullable<ScopeTarget['repository']>,
): RepositoryAction[] {
  const resource = { kind: 'repository', repositoryId: repository.id, namespaceId, ...repository } as const;
  return REPOSITORY_ACTIONS.filter((action) => decide(subject, action, resource));
}

/** Whoever may create the repository will want to push to it, and read back what was pushed. */
function allowedOnNew(subject: Subject, namespaceId: string): RepositoryAction[] {
  return decide(subject, 'create', { kind: 'namespace', namespaceId }) ? ['pull', 'push'] : [];
}
