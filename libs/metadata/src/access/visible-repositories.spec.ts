import {
  addTeamMember,
  createAccount,
  createOrganisation,
  createRepository,
  createTeam,
  disableAccount,
  grantScopes,
  PasswordHasher,
  putGrant,
  putOrganisationMember,
} from '@entrepot/access';
import type { PasswordAdministration, Role } from '@entrepot/access';
import { parseRepositoryName, parseScopes } from '@entrepot/oci';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { expect, it } from 'vitest';
import {
  createPool,
  migrate,
  PostgresAccessReader,
  PostgresAccessUnitOfWork,
  PostgresContentReader,
  PostgresCredentials,
  withDataSource,
} from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const ORGANISATIONS = ['acme', 'globex'];
const REPOSITORIES = ['acme/closed', 'acme/open', 'acme/other', 'globex/closed', 'owner/app', 'owner/open'].map(
  (name) => parseRepositoryName(name),
);
const ROLES: readonly Role[] = ['read', 'write', 'admin'];
const USERS = [
  'administrator',
  'disabled',
  'member',
  'nobody',
  'owner',
  ...ROLES.flatMap((role) => [`app-${role}`, `all-${role}`, `team-app-${role}`, `team-all-${role}`]),
];

/** One user for every way to get a right, and some repositories that the right does not reach. */
async function populate(admin: PasswordAdministration): Promise<void> {
  for (const name of USERS) await createAccount(admin, { name, password: 'x', isAdmin: name === 'administrator' });
  for (const name of ORGANISATIONS) await createOrganisation(admin, { name });
  for (const name of REPOSITORIES) {
    await createRepository(admin, { name, visibility: name.endsWith('open') ? 'public' : 'private' });
  }
  for (const user of ['owner', 'disabled']) await putOrganisationMember(admin, { organisation: 'acme', user }, 'owner');
  await putOrganisationMember(admin, { organisation: 'acme', user: 'member' }, 'member');
  const onApp = { repository: parseRepositoryName('acme/closed') };
  const onAll = { namespace: 'acme' };
  for (const role of ROLES) {
    await putGrant(admin, { to: { user: `app-${role}` }, on: onApp }, role);
    await putGrant(admin, { to: { user: `all-${role}` }, on: onAll }, role);
    for (const [prefix, on] of [
      ['team-app', onApp],
      ['team-all', onAll],
    ] as const) {
      const team = { organisation: 'acme', team: `${prefix}-${role}` };
      await createTeam(admin, team);
      await addTeamMember(admin, team, `${prefix}-${role}`);
      await putGrant(admin, { to: team, on }, role);
    }
  }
  await disableAccount(admin, 'disabled');
}

it('the catalog lists exactly what decide lets a caller pull (C-05)', async () => {
  const settings = { url: database.url, poolSize: 2, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
  const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 10, nowMs: Date.now });
  await withDataSource({ ...settings, role: 'owner' }, (source) =>
    populate({ store: new PostgresAccessUnitOfWork(source), actor: { id: undefined, name: 'spec' }, passwords }),
  );
  const pool = createPool({ ...settings, role: 'registry' });
  const credentials = new PostgresCredentials(pool);
  const access = new PostgresAccessReader(pool);
  const content = new PostgresContentReader(pool, pool);
  const scopes = parseScopes(REPOSITORIES.map((name) => `repository:${name}:pull`));
  for (const user of [undefined, ...USERS]) {
    const accountId = user === undefined ? undefined : (await credentials.findLogin(user))?.accountId;
    const facts = await access.loadAccess(accountId, REPOSITORIES);
    const decided = facts ? [...grantScopes(facts, scopes).repositories.keys()].sort() : undefined;
    const listed = await content.catalog(accountId === undefined ? {} : { accountId }, { limit: 100 });
    expect({ user, repositories: listed }).toEqual({ user, repositories: decided });
  }
  await pool.end();
});
