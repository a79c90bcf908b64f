import { AccessError } from '../errors.js';
import type { Role } from '../grants/subject.js';
import type { AccessTransaction, GrantedResource, Grantee, GrantKey } from '../ports/administration.js';
import {
  requireAccount,
  requireNamespace,
  requireOrganisation,
  requireRepository,
  requireTeam,
} from './administration.js';
import type { Administration } from './administration.js';

/** To whom, and on what. Repository names are canonical. A grant on a namespace holds for each repository in it. */
export interface GrantTarget {
  readonly to: { readonly user: string } | { readonly organisation: string; readonly team: string };
  readonly on: { readonly repository: string } | { readonly namespace: string };
}

const RANK: Readonly<Record<Role, number>> = { read: 1, write: 2, admin: 3 };

/**
 * Grants the role, in place of the one granted before. Rejects with NOT_FOUND, or with GRANT_INVALID where the team is
 * not of the organisation that owns the resource.
 */
export async function putGrant({ store, actor }: Administration, target: GrantTarget, role: Role): Promise<void> {
  await store.run(async (tx) => {
    const key = await resolveTarget(tx, target);
    const before = await tx.grants.lock(key);
    await tx.grants.put(key, role);
    if (before !== undefined && RANK[role] < RANK[before]) await withdrawFrom(tx, key.grantee);
    await tx.audit({ actor, action: 'grant.put', target: nameOf(target), detail: { ...target.to, role } });
  });
}

/** Takes the grant back. Rejects with NOT_FOUND where there is none. */
export async function revokeGrant({ store, actor }: Administration, target: GrantTarget): Promise<void> {
  await store.run(async (tx) => {
    const key = await resolveTarget(tx, target);
    const before = await tx.grants.lock(key);
    if (before === undefined) throw new AccessError('NOT_FOUND', `there is no such grant on ${nameOf(target)}`);
    await tx.grants.remove(key);
    await withdrawFrom(tx, key.grantee);
    await tx.audit({ actor, action: 'grant.revoked', target: nameOf(target), detail: { ...target.to, role: before } });
  });
}

function nameOf({ on }: GrantTarget): string {
  return 'repository' in on ? on.repository : on.namespace;
}

async function withdrawFrom(tx: AccessTransaction, grantee: Grantee): Promise<void> {
  const accountIds = 'accountId' in grantee ? [grantee.accountId] : await tx.teams.lockMembers(grantee.teamId);
  await tx.accounts.withdrawAccess(accountIds);
}

async function resolveTarget(tx: AccessTransaction, { to, on }: GrantTarget): Promise<GrantKey> {
  const owned = 'repository' in on ? await ownedRepository(tx, on.repository) : await ownedNamespace(tx, on.namespace);
  const { resource, namespaceId } = owned;
  if ('user' in to) return { grantee: { accountId: (await requireAccount(tx, to.user)).id }, resource };
  const organisation = await requireOrganisation(tx, to.organisation);
  if (organisation.id !== namespaceId) {
    throw new AccessError('GRANT_INVALID', `a team of ${to.organisation} gets grants within ${to.organisation} only`);
  }
  return { grantee: { teamId: (await requireTeam(tx, organisation.id, to.team)).id }, resource };
}

interface Owned {
  readonly resource: GrantedResource;
  readonly namespaceId: string;
}

async function ownedRepository(tx: AccessTransaction, name: string): Promise<Owned> {
  const { id, namespaceId } = await requireRepository(tx, name);
  return { resource: { repositoryId: id }, namespaceId };
}

async function ownedNamespace(tx: AccessTransaction, name: string): Promise<Owned> {
  const { id } = await requireNamespace(tx, name);
  return { resource: { namespaceId: id }, namespaceId: id };
}
