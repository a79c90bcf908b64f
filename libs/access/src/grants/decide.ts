import type { AccountSubject, Action, HeldGrant, RepositoryResource, Resource, Role, Subject } from './subject.js';

const RANK: Readonly<Record<Role, number>> = { read: 1, write: 2, admin: 3 };

/** The least rank that an action on a repository needs; actions that repositories do not know need what none has. */
const NEEDED_RANK: Readonly<Record<Action, number>> = {
  pull: RANK.read,
  push: RANK.write,
  delete: RANK.write,
  manage: RANK.admin,
  create: Number.POSITIVE_INFINITY,
  list: Number.POSITIVE_INFINITY,
  mount: Number.POSITIVE_INFINITY,
};

/**
 * May the subject do this to the resource? The one place that knows the rules; everything else only brings facts.
 * An action that the resource does not know is refused.
 */
export function decide(subject: Subject, action: Action, resource: Resource): boolean {
  if (subject.kind === 'account' && subject.isDisabled) return false;
  switch (resource.kind) {
    case 'catalog':
      return (action === 'list' || action === 'mount') && subject.kind === 'account';
    case 'namespace':
      return subject.kind === 'account' && decideOnNamespace(subject, action, resource.namespaceId);
    case 'repository':
      return rankOnRepository(subject, resource) >= NEEDED_RANK[action];
  }
}

/** Owners do both; an admin grant on the namespace lets create repositories, but not rule over teams and members. */
function decideOnNamespace(subject: AccountSubject, action: Action, namespaceId: string): boolean {
  if (action === 'manage') return ownsNamespace(subject, namespaceId);
  if (action !== 'create') return false;
  return (
    ownsNamespace(subject, namespaceId) || rankOfGrants(subject, (grant) => isOn(grant, namespaceId)) >= RANK.admin
  );
}

/** The highest of everything that reaches the subject; 0 where nothing does. */
function rankOnRepository(subject: Subject, repository: RepositoryResource): number {
  const asAnyone = repository.visibility === 'public' ? RANK.read : 0;
  if (subject.kind === 'anonymous') return asAnyone;
  if (ownsNamespace(subject, repository.namespaceId)) return RANK.admin;
  const granted = rankOfGrants(
    subject,
    (grant) =>
      isOn(grant, repository.namespaceId) ||
      ('repositoryId' in grant && grant.repositoryId === repository.repositoryId),
  );
  return Math.max(asAnyone, granted);
}

function ownsNamespace(subject: AccountSubject, namespaceId: string): boolean {
  return (
    subject.isAdmin ||
    subject.accountId === namespaceId ||
    subject.memberships.some((membership) => membership.namespaceId === namespaceId && membership.role === 'owner')
  );
}

function isOn(grant: HeldGrant, namespaceId: string): boolean {
  return 'namespaceId' in grant && grant.namespaceId === namespaceId;
}

function rankOfGrants(subject: AccountSubject, concerns: (grant: HeldGrant) => boolean): number {
  let rank = 0;
  for (const grant of subject.grants) if (concerns(grant)) rank = Math.max(rank, RANK[grant.role]);
  return rank;
}
