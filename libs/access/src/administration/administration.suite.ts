import { parseRepositoryName, parseScopes } from '@entrepot/oci';
import bcrypt from 'bcrypt';
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { grantScopes, repositoryNamesOf } from '../grants/grant-scopes.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { AccessStores } from '../ports/access-stores.suite.js';
import type { PasswordAdministration } from './administration.js';
import { createAccount } from './create-account.js';
import { disableAccount } from './disable-account.js';
import { enableAccount } from './enable-account.js';
import { ensureAdministrator, ensureSystemNamespaces } from './ensure-system.js';
import { putGrant, revokeGrant } from './grants.js';
import { importHtpasswd } from './import-htpasswd.js';
import { createOrganisation, putOrganisationMember, removeOrganisationMember } from './organisations.js';
import { createRepository, deleteRepository, setVisibility } from './repositories.js';
import { resetPassword } from './reset-password.js';
import { addTeamMember, createTeam, removeTeamMember } from './teams.js';

const WINDOW_MS = 3_600_000;

/** What administration does, on stores that last for the whole suite; each test has names of its own. */
export function administrationSuite(open: () => AccessStores): void {
  let stores: AccessStores;
  let admin: PasswordAdministration;
  /** Makes names unique to a test. */
  let unique: string;

  beforeAll(() => {
    stores = open();
    const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 100, nowMs: Date.now });
    admin = { store: stores.store, actor: { id: undefined, name: 'suite' }, passwords };
  });
  beforeEach(() => {
    unique = randomUUID().slice(0, 8);
  });

  const named = (name: string): string => `${name}-${unique}`;
  const repository = (namespace: string, name: string) => parseRepositoryName(`${named(namespace)}/${name}`);
  const app = () => repository('acme', 'app');
  const team = () => ({ organisation: named('acme'), team: 'developers' });
  const teamOnApp = () => ({ to: team(), on: { repository: app() } });

  async function addUser(name: string, isAdmin = false): Promise<string> {
    await createAccount(admin, { name: named(name), password: 'secret', isAdmin });
    return (await login(named(name))).accountId;
  }

  async function login(name: string) {
    const found = await stores.credentials.findLogin(name);
    if (!found) throw new Error(`no account ${name}`);
    return found;
  }

  /** Actions that a token for the repository would hold now. */
  async function actionsOn(accountId: string | undefined, name: string): Promise<string> {
    const scopes = parseScopes([`repository:${name}:*`]);
    const facts = await stores.reader.loadAccess(accountId, repositoryNamesOf(scopes));
    const access = facts && grantScopes(facts, scopes).repositories.get(name);
    return [...(access?.actions ?? [])].join(' ');
  }

  /** Does the work end tokens that the account holds? */
  async function endsTokensOf(accountId: string, work: () => Promise<unknown>): Promise<boolean> {
    const before = await stores.reader.loadAccess(accountId, []);
    await work();
    const { accounts } = await stores.feed.loadAccessChanges(WINDOW_MS);
    const version = before?.subject.kind === 'account' ? before.subject.accessVersion : Number.NaN;
    return (accounts.get(accountId) ?? 0) > version;
  }

  async function actionsAudited(target: string): Promise<string[]> {
    return (await stores.auditOf(target)).map(({ action }) => action);
  }

  describe('accounts', () => {
    it('are created with a namespace of their own, in which they may do all', async () => {
      const alice = await addUser('alice');
      expect(await actionsOn(alice, repository('alice', 'app'))).toBe('pull push');
      expect(await login(named('alice'))).toMatchObject({ isDisabled: false, accessVersion: 1, credentialVersion: 1 });
      expect(await actionsAudited(named('alice'))).toEqual(['account.created']);
    });

    it('have names that are free and lawful', async () => {
      await addUser('alice');
      await expect(addUser('alice')).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await expect(createOrganisation(admin, { name: named('alice') })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await expect(createAccount(admin, { name: 'v2', password: 'x', isAdmin: false })).rejects.toMatchObject({
        code: 'NAME_INVALID',
      });
      await expect(createAccount(admin, { name: named('b'), password: '', isAdmin: false })).rejects.toMatchObject({
        code: 'PASSWORD_INVALID',
      });
    });

    it('made at once under one name: one is', async () => {
      const name = named('alice');
      const outcomes = await Promise.allSettled(
        Array.from({ length: 4 }, () => createAccount(admin, { name, password: 'secret', isAdmin: false })),
      );
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
      expect(await actionsAudited(name)).toEqual(['account.created']);
    });

    it('that are disabled lose all tokens, and get none of them back (A-08)', async () => {
      const alice = await addUser('alice');
      expect(await endsTokensOf(alice, () => disableAccount(admin, named('alice')))).toBe(true);
      expect(await login(named('alice'))).toMatchObject({ isDisabled: true, credentialVersion: 2 });
      expect(await actionsOn(alice, repository('alice', 'app'))).toBe('');
      await disableAccount(admin, named('alice'));
      expect(await endsTokensOf(alice, () => enableAccount(admin, named('alice')))).toBe(false);
      await enableAccount(admin, named('alice'));
      expect(await login(named('alice'))).toMatchObject({ isDisabled: false, credentialVersion: 2 });
      expect(await actionsAudited(named('alice'))).toEqual(['account.created', 'account.disabled', 'account.enabled']);
    });

    it('get a new password, and lose tokens of the old one', async () => {
      const alice = await addUser('alice');
      const before = await login(named('alice'));
      expect(await endsTokensOf(alice, () => resetPassword(admin, named('alice'), 'another'))).toBe(true);
      const after = await login(named('alice'));
      expect(after.credentialVersion).toBe(before.credentialVersion + 1);
      expect(await admin.passwords.matches(after.passwordHash, 'another')).toBe(true);
      expect(await admin.passwords.matches(after.passwordHash, 'secret')).toBe(false);
      expect(JSON.stringify(await stores.auditOf(named('alice')))).not.toContain('another');
    });

    it('that do not exist are said to be missing', async () => {
      for (const work of [
        () => disableAccount(admin, 'nobody'),
        () => enableAccount(admin, 'nobody'),
        () => resetPassword(admin, 'nobody', 'x'),
      ]) {
        await expect(work()).rejects.toMatchObject({ code: 'NOT_FOUND', message: 'there is no user nobody' });
      }
    });

    it('come from an htpasswd file, line by line', async () => {
      const hash = (await bcrypt.hash('imported', 4)).replace('$2b', '$2y');
      const text = [
        `${named('one')}:${hash}`,
        '',
        '# a comment',
        `${named('two')}:$apr1$x$y`,
        `${named('one')}:${hash}`,
        `Upper:${hash}`,
        'no colon',
        `${named('three')}:${hash}`,
      ].join('\r\n');
      const report = await importHtpasswd(admin, text);
      expect(report.created).toEqual([named('one'), named('three')]);
      expect(report.refused.map(({ line }) => line)).toEqual([4, 5, 6, 7]);
      expect((await login(named('one'))).passwordHash).toBe(hash);
    });

    it('change their hash only while it is the one that was seen', async () => {
      await addUser('alice');
      const { accountId, passwordHash = '' } = await login(named('alice'));
      await stores.credentials.upgradePasswordHash(accountId, 'another hash', 'stronger');
      expect((await login(named('alice'))).passwordHash).toBe(passwordHash);
      await stores.credentials.upgradePasswordHash(accountId, passwordHash, 'stronger');
      expect((await login(named('alice'))).passwordHash).toBe('stronger');
    });
  });

  describe('the system', () => {
    it('has its first administrator made once, and left alone from then on', async () => {
      const wanted = { name: named('root'), password: 'first' };
      const outcomes = await Promise.all([1, 2, 3].map(() => ensureAdministrator(admin, wanted)));
      expect(outcomes.filter(({ outcome }) => outcome === 'created')).toHaveLength(1);
      expect(await ensureAdministrator(admin, wanted)).toEqual({ outcome: 'kept', isPasswordAnother: false });
      expect(await ensureAdministrator(admin, { ...wanted, password: 'second' })).toEqual({
        outcome: 'kept',
        isPasswordAnother: true,
      });
      const another = { name: named('another-root'), password: 'first' };
      expect(await ensureAdministrator(admin, another)).toMatchObject({ outcome: 'kept' });
      const { accountId } = await login(named('root'));
      expect(await actionsOn(accountId, 'library/hello')).toBe('');
      await Promise.all([1, 2, 3].map(() => ensureSystemNamespaces(stores.store)));
      expect(await actionsOn(accountId, 'library/hello')).toBe('pull push');
    });

    it('has an administrator that a rebuild left revived, where there is no other', async () => {
      const wanted = { name: named('rebuilt'), password: 'chosen-anew' };
      const id = randomUUID();
      const active = await stores.store.run(async (tx) => {
        await tx.namespaces.insert({ id, name: wanted.name, kind: 'user', defaultVisibility: 'private' });
        await tx.accounts.insert({ id, name: wanted.name, isAdmin: true, isDisabled: true, passwordHash: undefined });
        return tx.accounts.lockActiveAdministrators();
      });
      expect(await ensureAdministrator(admin, wanted)).toMatchObject({ outcome: 'kept' });
      await stores.store.run(async (tx) => {
        for (const other of active) await tx.accounts.setDisabled(other, true);
      });
      expect(await ensureAdministrator(admin, wanted)).toEqual({ outcome: 'created' });
      expect(await ensureAdministrator(admin, wanted)).toEqual({ outcome: 'kept', isPasswordAnother: false });
      expect(await login(wanted.name)).toMatchObject({ isDisabled: false });
      await stores.store.run(async (tx) => {
        for (const other of active) await tx.accounts.setDisabled(other, false);
      });
    });

    it('lets others into library only by a grant', async () => {
      await ensureSystemNamespaces(stores.store);
      const alice = await addUser('alice');
      expect(await actionsOn(alice, 'library/hello')).toBe('');
      const target = { to: { user: named('alice') }, on: { namespace: 'library' } };
      await putGrant(admin, target, 'write');
      expect(await actionsOn(alice, `library/${unique}`)).toBe('');
      await putGrant(admin, target, 'admin');
      expect(await actionsOn(alice, `library/${unique}`)).toBe('pull push');
      await revokeGrant(admin, target);
    });

    it('keeps its last administrator', async () => {
      const names = [named('first'), named('second')];
      await addUser('first', true);
      await addUser('second', true);
      const others = (await stores.directory.accounts({ limit: 1000 })).filter(
        ({ name, isAdmin, isDisabled }) => isAdmin && !isDisabled && !names.includes(name),
      );
      for (const { name } of others) await disableAccount(admin, name);
      const outcomes = await Promise.allSettled(names.map((name) => disableAccount(admin, name)));
      expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
      expect(outcomes).toContainEqual(
        expect.objectContaining({ reason: expect.objectContaining({ code: 'LAST_ADMINISTRATOR' }) }),
      );
      for (const { name } of others) await enableAccount(admin, name);
    });
  });

  describe('organisations and teams', () => {
    beforeEach(async () => {
      await createOrganisation(admin, { name: named('acme') });
      await createRepository(admin, { name: repository('acme', 'app') });
    });

    it('owners do all in the organisation; an owner that is one no longer is out', async () => {
      const alice = await addUser('alice');
      await addUser('bob');
      const membership = { organisation: named('acme'), user: named('alice') };
      await putOrganisationMember(admin, membership, 'member');
      expect(await actionsOn(alice, app())).toBe('');
      expect(await endsTokensOf(alice, () => putOrganisationMember(admin, membership, 'owner'))).toBe(false);
      expect(await actionsOn(alice, app())).toBe('pull push delete');
      expect(await actionsOn(alice, repository('acme', 'new'))).toBe('pull push');
      await expect(putOrganisationMember(admin, membership, 'member')).rejects.toMatchObject({ code: 'LAST_OWNER' });
      await expect(removeOrganisationMember(admin, membership)).rejects.toMatchObject({ code: 'LAST_OWNER' });
      await putOrganisationMember(admin, { ...membership, user: named('bob') }, 'owner');
      expect(await endsTokensOf(alice, () => putOrganisationMember(admin, membership, 'member'))).toBe(true);
      expect(await actionsOn(alice, app())).toBe('');
    });

    it('may be created with an owner', async () => {
      const alice = await addUser('alice');
      await createOrganisation(admin, { name: named('globex'), owner: named('alice'), defaultVisibility: 'public' });
      expect(await actionsOn(alice, repository('globex', 'new'))).toBe('pull push');
      await createRepository(admin, { name: repository('globex', 'app') });
      expect(await actionsOn(undefined, repository('globex', 'app'))).toBe('pull');
    });

    it('a team has what it was granted; its members come and go', async () => {
      const alice = await addUser('alice');
      await createTeam(admin, team());
      await expect(createTeam(admin, team())).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await expect(createTeam(admin, { ...team(), team: '/' })).rejects.toMatchObject({ code: 'NAME_INVALID' });
      await putGrant(admin, teamOnApp(), 'write');
      expect(await actionsOn(alice, app())).toBe('');
      expect(await endsTokensOf(alice, () => addTeamMember(admin, team(), named('alice')))).toBe(false);
      await addTeamMember(admin, team(), named('alice'));
      expect(await actionsOn(alice, app())).toBe('pull push delete');
      expect(await endsTokensOf(alice, () => removeTeamMember(admin, team(), named('alice')))).toBe(true);
      expect(await actionsOn(alice, app())).toBe('');
      await expect(removeTeamMember(admin, team(), named('alice'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('whoever leaves the organisation leaves its teams', async () => {
      const alice = await addUser('alice');
      await createTeam(admin, team());
      await addTeamMember(admin, team(), named('alice'));
      await putGrant(admin, teamOnApp(), 'read');
      expect(await actionsOn(alice, app())).toBe('pull');
      const membership = { organisation: named('acme'), user: named('alice') };
      expect(await endsTokensOf(alice, () => removeOrganisationMember(admin, membership))).toBe(true);
      expect(await actionsOn(alice, app())).toBe('');
      expect(await stores.directory.teamMembers(named('acme'), 'developers', { limit: 10 })).toEqual([]);
    });

    it('a grant that is lowered or revoked ends the tokens of every member', async () => {
      const [alice, bob] = [await addUser('alice'), await addUser('bob')];
      await createTeam(admin, team());
      for (const user of ['alice', 'bob']) await addTeamMember(admin, team(), named(user));
      await putGrant(admin, teamOnApp(), 'read');
      expect(await endsTokensOf(alice, () => putGrant(admin, teamOnApp(), 'admin'))).toBe(false);
      expect(await endsTokensOf(bob, () => putGrant(admin, teamOnApp(), 'write'))).toBe(true);
      expect(await endsTokensOf(alice, () => revokeGrant(admin, teamOnApp()))).toBe(true);
      expect(await actionsOn(bob, app())).toBe('');
      await expect(revokeGrant(admin, teamOnApp())).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('who joins a team while its grant is revoked is left with nothing', async () => {
      const alice = await addUser('alice');
      await createTeam(admin, team());
      await putGrant(admin, teamOnApp(), 'read');
      await Promise.all([addTeamMember(admin, team(), named('alice')), revokeGrant(admin, teamOnApp())]);
      expect(await actionsOn(alice, app())).toBe('');
    });

    it('grants reach users and namespaces, too; the highest counts', async () => {
      const alice = await addUser('alice');
      const onApp = { to: { user: named('alice') }, on: { repository: app() } };
      const onAll = { to: { user: named('alice') }, on: { namespace: named('acme') } };
      await putGrant(admin, onAll, 'read');
      await putGrant(admin, onApp, 'write');
      expect(await actionsOn(alice, app())).toBe('pull push delete');
      await createRepository(admin, { name: repository('acme', 'other') });
      expect(await actionsOn(alice, repository('acme', 'other'))).toBe('pull');
      expect(await endsTokensOf(alice, () => revokeGrant(admin, onApp))).toBe(true);
      expect(await actionsOn(alice, app())).toBe('pull');
    });

    it('teams get no grant outside their organisation', async () => {
      await createTeam(admin, team());
      await createOrganisation(admin, { name: named('globex') });
      const target = { to: team(), on: { namespace: named('globex') } };
      await expect(putGrant(admin, target, 'read')).rejects.toMatchObject({ code: 'GRANT_INVALID' });
    });
  });

  describe('repositories', () => {
    it('are private unless their namespace says otherwise, and take a name once', async () => {
      await addUser('alice');
      const name = repository('alice', 'app');
      await createRepository(admin, { name });
      expect(await actionsOn(undefined, name)).toBe('');
      await expect(createRepository(admin, { name })).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      const orphan = parseRepositoryName(`${named('nobody')}/app`);
      await expect(createRepository(admin, { name: orphan })).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('made private, end tokens that came by being public (C-04)', async () => {
      await addUser('alice');
      const name = repository('alice', 'app');
      await createRepository(admin, { name, visibility: 'public' });
      expect(await actionsOn(undefined, name)).toBe('pull');
      const facts = await stores.reader.loadAccess(undefined, [name]);
      const before = facts?.targets.get(name)?.repository;
      await setVisibility(admin, name, 'private');
      const { repositories } = await stores.feed.loadAccessChanges(WINDOW_MS);
      expect(repositories.get(before?.id ?? '')).toBe((before?.accessVersion ?? 0) + 1);
      expect(await actionsOn(undefined, name)).toBe('');
      expect(await actionsAudited(name)).toEqual(['repository.created', 'repository.visibility_set']);
    });

    it('deleted and made anew, are others (B-11)', async () => {
      const alice = await addUser('alice');
      await addUser('bob');
      const name = repository('alice', 'app');
      const idOf = async () => (await stores.reader.loadAccess(alice, [name]))?.targets.get(name)?.repository?.id;
      await createRepository(admin, { name });
      await putGrant(admin, { to: { user: named('bob') }, on: { repository: name } }, 'read');
      const first = await idOf();
      await deleteRepository(admin, name);
      expect(await idOf()).toBeUndefined();
      await createRepository(admin, { name });
      expect(await idOf()).not.toBe(first);
      expect(await stores.directory.grants(name, { limit: 10 })).toEqual([]);
      await deleteRepository(admin, name);
      await expect(deleteRepository(admin, name)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });
  });

  describe('lists', () => {
    it('are paged by name, bytewise', async () => {
      const names = ['b', 'a', 'a.b', 'a-b', 'c'].map((name) => `l${unique}.${name}`);
      for (const name of names) await createAccount(admin, { name, password: 'secret', isAdmin: false });
      const listed: string[] = [];
      for (let last = `l${unique}`; listed.length < names.length; last = listed.at(-1) ?? '') {
        listed.push(...(await stores.directory.accounts({ last, limit: 2 })).map(({ name }) => name));
      }
      expect(listed.slice(0, names.length)).toEqual(names.toSorted());
    });

    it('show organisations, members, teams, repositories and grants', async () => {
      await addUser('alice');
      await createOrganisation(admin, { name: named('acme'), owner: named('alice') });
      await createTeam(admin, { organisation: named('acme'), team: 'ops' });
      await addTeamMember(admin, { organisation: named('acme'), team: 'ops' }, named('alice'));
      await createRepository(admin, { name: repository('acme', 'app'), visibility: 'public' });
      const on = { repository: repository('acme', 'app') };
      await putGrant(admin, { to: { organisation: named('acme'), team: 'ops' }, on }, 'write');
      await putGrant(admin, { to: { user: named('alice') }, on }, 'read');
      const { directory } = stores;
      const page = { limit: 1000 };
      expect(await directory.organisations(page)).toContainEqual(
        expect.objectContaining({ name: named('acme'), defaultVisibility: 'private' }),
      );
      expect(await directory.members(named('acme'), page)).toEqual([{ name: named('alice'), role: 'owner' }]);
      expect(await directory.teams(named('acme'), page)).toEqual([expect.objectContaining({ name: 'ops' })]);
      expect(await directory.teamMembers(named('acme'), 'ops', page)).toEqual([named('alice')]);
      expect(await directory.repositories({ last: named('acme'), limit: 1 })).toEqual([
        expect.objectContaining({ name: on.repository, visibility: 'public' }),
      ]);
      expect(await directory.grants(on.repository, page)).toEqual([
        { role: 'write', grantee: `team:${named('acme')}/ops` },
        { role: 'read', grantee: `user:${named('alice')}` },
      ]);
    });
  });
}
