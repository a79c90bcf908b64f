import { randomUUID } from 'node:crypto';
import { checkNewNamespaceName } from '../accounts/namespace-name.js';
import { AccessError } from '../errors.js';
import type { Visibility } from '../grants/subject.js';
import type { AccessTransaction, MemberRole } from '../ports/administration.js';
import { requireAccount, requireOrganisation } from './administration.js';
import type { Administration } from './administration.js';
import { nameTaken } from './create-account.js';

export interface NewOrganisation {
  readonly name: string;
  /** Visibility of repositories that a push creates. */
  readonly defaultVisibility?: Visibility;
  /** Name of the first owner; without one it is the system administrators'. */
  readonly owner?: string;
}

/** Rejects with NAME_INVALID, NAME_TAKEN, or NOT_FOUND for the owner. */
export async function createOrganisation({ store, actor }: Administration, wanted: NewOrganisation): Promise<void> {
  const { name, owner, defaultVisibility = 'private' } = wanted;
  checkNewNamespaceName(name);
  await store.run(async (tx) => {
    const id = randomUUID();
    const isFree = await tx.namespaces.insert({ id, name, kind: 'organisation', defaultVisibility });
    if (!isFree) throw nameTaken(name);
    if (owner !== undefined) await tx.members.put(id, (await requireAccount(tx, owner)).id, 'owner');
    const detail = { defaultVisibility, ...(owner === undefined ? {} : { owner }) };
    await tx.audit({ actor, action: 'organisation.created', target: name, detail });
  });
}

export interface Membership {
  readonly organisation: string;
  readonly user: string;
}

/** Adds a member, or changes its role. Rejects with NOT_FOUND, or LAST_OWNER where no owner would be left. */
export async function putOrganisationMember(
  { store, actor }: Administration,
  { organisation, user }: Membership,
  role: MemberRole,
): Promise<void> {
  await store.run(async (tx) => {
    const namespace = await requireOrganisation(tx, organisation);
    const account = await requireAccount(tx, user);
    if (role === 'member') await withdrawOwnership(tx, namespace.id, account.id);
    await tx.members.put(namespace.id, account.id, role);
    await tx.audit({ actor, action: 'organisation.member_put', target: organisation, detail: { user, role } });
  });
}

/** Removes a member, from the organisation's teams too. Rejects with NOT_FOUND or LAST_OWNER. */
export async function removeOrganisationMember(
  { store, actor }: Administration,
  { organisation, user }: Membership,
): Promise<void> {
  await store.run(async (tx) => {
    const namespace = await requireOrganisation(tx, organisation);
    const account = await requireAccount(tx, user);
    await withdrawOwnership(tx, namespace.id, account.id);
    await tx.teams.removeFromAll(namespace.id, account.id);
    await tx.members.remove(namespace.id, account.id);
    await tx.accounts.withdrawAccess([account.id]);
    await tx.audit({ actor, action: 'organisation.member_removed', target: organisation, detail: { user } });
  });
}

/** What an owner who is one no longer loses; nothing for others. */
async function withdrawOwnership(tx: AccessTransaction, namespaceId: string, accountId: string): Promise<void> {
  const owners = await tx.members.lockOwners(namespaceId);
  if (!owners.includes(accountId)) return;
  if (owners.length === 1) {
    throw new AccessError('LAST_OWNER', 'the organisation would have no owner; make another one first');
  }
  await tx.accounts.withdrawAccess([accountId]);
}
