import { randomUUID } from 'node:crypto';
import { AccessError } from '../errors.js';
import { requireAccount, requireOrganisation, requireTeam } from './administration.js';
import type { Administration } from './administration.js';

const TEAM_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._ -]{0,62}[A-Za-z0-9])?$/;

export interface TeamName {
  readonly organisation: string;
  readonly team: string;
}

/** Rejects with NAME_INVALID, NAME_TAKEN, or NOT_FOUND for the organisation. */
export async function createTeam({ store, actor }: Administration, { organisation, team }: TeamName): Promise<void> {
  if (!TEAM_NAME.test(team)) {
    throw new AccessError(
      'NAME_INVALID',
      'a team has 1 to 64 letters, digits, ".", "_", "-" or spaces, with a letter or digit at both ends',
    );
  }
  await store.run(async (tx) => {
    const namespace = await requireOrganisation(tx, organisation);
    const isFree = await tx.teams.insert({ id: randomUUID(), namespaceId: namespace.id, name: team });
    if (!isFree) throw new AccessError('NAME_TAKEN', `${organisation} has a team ${team} already`);
    await tx.audit({ actor, action: 'team.created', target: `${organisation}/${team}`, detail: {} });
  });
}

/** Adds a user to a team, and by that to its organisation. Rejects with NOT_FOUND. */
export async function addTeamMember(
  { store, actor }: Administration,
  { organisation, team }: TeamName,
  user: string,
): Promise<void> {
  await store.run(async (tx) => {
    const namespace = await requireOrganisation(tx, organisation);
    const { id } = await requireTeam(tx, namespace.id, team);
    const account = await requireAccount(tx, user);
    const role = await tx.members.find(namespace.id, account.id);
    if (role === undefined) await tx.members.put(namespace.id, account.id, 'member');
    await tx.teams.addMember(id, account.id);
    await tx.audit({ actor, action: 'team.member_added', target: `${organisation}/${team}`, detail: { user } });
  });
}

/** Takes a user out of a team, and the team's rights from the user. Rejects with NOT_FOUND. */
export async function removeTeamMember(
  { store, actor }: Administration,
  { organisation, team }: TeamName,
  user: string,
): Promise<void> {
  await store.run(async (tx) => {
    const namespace = await requireOrganisation(tx, organisation);
    const { id } = await requireTeam(tx, namespace.id, team);
    const account = await requireAccount(tx, user);
    const wasMember = await tx.teams.removeMember(id, account.id);
    if (!wasMember) throw new AccessError('NOT_FOUND', `${user} is no member of ${organisation}/${team}`);
    await tx.accounts.withdrawAccess([account.id]);
    await tx.audit({ actor, action: 'team.member_removed', target: `${organisation}/${team}`, detail: { user } });
  });
}
