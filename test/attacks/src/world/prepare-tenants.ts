import {
  addTeamMember,
  createAccount,
  createOrganisation,
  createRepository,
  createTeam,
  putGrant,
  putOrganisationMember,
  type PasswordAdministration,
} from '@entrepot/access';
import { parseRepositoryName } from '@entrepot/oci';
import { administer } from './administer.js';
import { PLANTED } from './settings.js';

/** Users of both tenants; the last belong to none. */
const USERS = ['alice', 'carol', 'bob', 'acme-ci', 'acme-ro', 'dave'] as const;

/**
 * Two tenants: `acme`, owned by carol, where alice may write by her team and two robots have grants on `acme/app`; and
 * `globex`, owned by bob. `acme/app` and `globex/secret` are private, `acme/pub` is public; all are empty.
 */
export async function prepareTenants(databaseUrl: string): Promise<void> {
  await administer(databaseUrl, async (administration) => {
    for (const name of USERS) await createUser(administration, name);
    await createOrganisation(administration, { name: 'acme', owner: 'carol' });
    await createOrganisation(administration, { name: 'globex', owner: 'bob' });
    await putOrganisationMember(administration, { organisation: 'acme', user: 'alice' }, 'member');
    const developers = { organisation: 'acme', team: 'developers' };
    await createTeam(administration, developers);
    await addTeamMember(administration, developers, 'alice');
    await putGrant(administration, { to: developers, on: { namespace: 'acme' } }, 'write');
    for (const [name, visibility] of [
      ['acme/app', 'private'],
      ['acme/pub', 'public'],
      ['globex/secret', 'private'],
    ] as const) {
      await createRepository(administration, { name: parseRepositoryName(name), visibility });
    }
    await putGrant(administration, { to: { user: 'acme-ci' }, on: { repository: 'acme/app' } }, 'write');
    await putGrant(administration, { to: { user: 'acme-ro' }, on: { repository: 'acme/app' } }, 'read');
  });
}

/** A user with the password that all share. */
export function createUser(administration: PasswordAdministration, name: string): Promise<void> {
  return createAccount(administration, { name, password: PLANTED.userPassword, isAdmin: false });
}
