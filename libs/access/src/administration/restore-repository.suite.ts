import { parseRepositoryName, parseScopes, type RepositoryName } from '@entrepot/oci';
import { randomUUID } from 'node:crypto';
import { beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { concernsRepository } from '../grants/granted-access.js';
import { grantScopes } from '../grants/grant-scopes.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { AccessStores } from '../ports/access-stores.suite.js';
import type { PasswordAdministration } from './administration.js';
import { createAccount } from './create-account.js';
import { putGrant } from './grants.js';
import { createOrganisation } from './organisations.js';
import { createRepository, deleteRepository, setVisibility } from './repositories.js';
import { purgeRepository, restoreRepository } from './restore-repository.js';
import { addTeamMember, createTeam } from './teams.js';

const WINDOW_MS = 3_600_000;
const EVERYTHING = { limit: 1000 };

/** What deleting and restoring repositories means for who may do what. Each test has names of its own. */
export function restorationSuite(open: () => AccessStores): void {
  let stores: AccessStores;
  let admin: PasswordAdministration;
  let unique: string;
  let owner: string;
  let friend: string;
  let app: RepositoryName;

  beforeAll(() => {
    stores = open();
    const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 100, nowMs: Date.now });
    admin = { store: stores.store, actor: { id: undefined, name: 'suite' }, passwords };
  });
  beforeEach(async () => {
    unique = randomUUID().slice(0, 8);
    owner = await addUser('owner');
    friend = await addUser('friend');
    await createOrganisation(admin, { name: named('acme'), owner: named('owner') });
    await createOrganisation(admin, { name: named('other') });
    app = repository('acme', 'app');
    await createRepository(admin, { name: app });
    await putGrant(admin, { to: { user: named('friend') }, on: { repository: app } }, 'write');
  });

  const named = (name: string): string => `${name}-${unique}`;
  const repository = (namespace: string, name: string) => parseRepositoryName(`${named(namespace)}/${name}`);
  const restore = (as?: RepositoryName) => restoreRepository(admin, { which: { name: app }, ...(as && { as }) });

  async function addUser(name: string): Promise<string> {
    await createAccount(admin, { name: named(name), password: 'secret', isAdmin: false });
    const login = await stores.credentials.findLogin(named(name));
    if (!login) throw new Error(`no account ${name}`);
    return login.accountId;
  }

  /** What a token that is made now would say of the repository. */
  async function accessTo(accountId: string | undefined, name: RepositoryName) {
    const facts = await stores.reader.loadAccess(accountId, [name]);
    return facts && grantScopes(facts, parseScopes([`repository:${name}:*`])).repositories.get(name);
  }
  const mayDo = async (accountId: string | undefined, name: RepositoryName): Promise<string> =>
    [...((await accessTo(accountId, name))?.actions ?? [])].join(' ');

  /** The repository of the name, as the data plane finds it. */
  async function found(name: RepositoryName) {
    const target = (await stores.reader.loadAccess(undefined, [name]))?.targets.get(name);
    return target?.repository && { ...target.repository, namespaceId: target.namespaceId };
  }
  const deletedIds = async () =>
    (await stores.directory.deletedRepositories(EVERYTHING)).filter(({ name }) => name === app).map(({ id }) => id);

  describe('a repository that is deleted', () => {
    it('leaves its name, its listings and every token, and is shown among the deleted', async () => {
      const before = await found(app);
      await deleteRepository(admin, app);
      expect(await found(app)).toBeUndefined();
      expect(await mayDo(friend, app)).toBe('');
      const { repositories } = await stores.feed.loadAccessChanges(WINDOW_MS);
      expect(repositories.get(before?.id ?? '')).toBeGreaterThan(before?.accessVersion ?? Number.NaN);
      const listed = await stores.directory.repositories({ last: named('acme'), limit: 10 });
      expect(listed.filter(({ name }) => name.startsWith(named('acme')))).toEqual([]);
      expect(await stores.directory.deletedRepositories({ last: named('acme'), limit: 1 })).toMatchObject([
        { name: app, id: before?.id, deletedBy: 'suite', visibility: 'private' },
      ]);
      await expect(deleteRepository(admin, app)).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('comes back the same under its name, with its grants, and with no token from before', async () => {
      const before = await found(app);
      const token = await accessTo(friend, app);
      await deleteRepository(admin, app);
      expect(await restore()).toBe(app);
      const after = await found(app);
      expect(after?.id).toBe(before?.id);
      expect(after?.accessVersion).toBeGreaterThan((token?.version ?? Number.NaN) + 1);
      expect(await mayDo(friend, app)).toBe('pull push delete');
      expect(await mayDo(owner, app)).toContain('push');
      expect((await stores.auditOf(app)).at(-1)).toMatchObject({
        action: 'repository.restored',
        detail: { grants: 'kept' },
      });
    });

    it('is not opened by a token that was made while its name was free', async () => {
      await deleteRepository(admin, app);
      const token = await accessTo(owner, app);
      expect(token).toMatchObject({ repositoryId: undefined });
      await restore();
      const after = await found(app);
      expect(token && after && concernsRepository(token, owner, after)).toBe(false);
    });

    it('is not restored over another one, and opens to nobody who was let into that one', async () => {
      await deleteRepository(admin, app);
      await createRepository(admin, { name: app, visibility: 'public' });
      const stranger = await addUser('stranger');
      await putGrant(admin, { to: { user: named('stranger') }, on: { repository: app } }, 'write');
      const token = await accessTo(stranger, app);
      await expect(restore()).rejects.toMatchObject({ code: 'NAME_TAKEN' });
      await deleteRepository(admin, app);
      const [first, second] = [(await deletedIds())[0], (await deletedIds())[1]];
      const former = token?.repositoryId === first ? second : first;
      await restoreRepository(admin, { which: { name: app, id: former ?? '' } });
      const after = await found(app);
      expect(after?.id).toBe(former);
      expect(token && after && concernsRepository(token, stranger, after)).toBe(false);
      expect(await mayDo(stranger, app)).toBe('');
      expect(await mayDo(undefined, app)).toBe('');
    });

    it('is the one that was deleted last, where several had the name', async () => {
      await deleteRepository(admin, app);
      await createRepository(admin, { name: app });
      const last = await found(app);
      await deleteRepository(admin, app);
      await restore();
      expect((await found(app))?.id).toBe(last?.id);
    });

    it('loses every grant in another namespace, and is not public there of itself', async () => {
      await setVisibility(admin, app, 'public');
      await createTeam(admin, { organisation: named('acme'), team: 'ops' });
      const member = await addUser('member');
      await addTeamMember(admin, { organisation: named('acme'), team: 'ops' }, named('member'));
      const to = { organisation: named('acme'), team: 'ops' };
      await putGrant(admin, { to, on: { repository: app } }, 'admin');
      await putGrant(admin, { to, on: { namespace: named('acme') } }, 'write');
      await deleteRepository(admin, app);
      const moved = repository('other', 'app');
      const neighbour = await addUser('neighbour');
      await putGrant(admin, { to: { user: named('neighbour') }, on: { namespace: named('other') } }, 'read');
      expect(await restore(moved)).toBe(moved);
      for (const account of [owner, friend, member, undefined]) expect(await mayDo(account, moved)).toBe('');
      expect(await mayDo(neighbour, moved)).toBe('pull');
      expect(await stores.directory.grants(moved, EVERYTHING)).toEqual([]);
      expect((await stores.auditOf(moved)).at(-1)).toMatchObject({ detail: { was: app, grants: 'dropped' } });
    });

    it('keeps its grants under another name of its namespace', async () => {
      await deleteRepository(admin, app);
      const renamed = repository('acme', 'again');
      await restore(renamed);
      expect(await mayDo(friend, renamed)).toBe('pull push delete');
      expect(await mayDo(friend, app)).toBe('');
      await expect(restore()).rejects.toMatchObject({ code: 'NOT_FOUND' });
    });

    it('needs a namespace to come back into', async () => {
      await deleteRepository(admin, app);
      await expect(restore(repository('nobody', 'app'))).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect(await deletedIds()).toHaveLength(1);
    });

    it('comes back once, whoever asks at the same time', async () => {
      await deleteRepository(admin, app);
      const outcomes = await Promise.allSettled([restore(), restore(repository('acme', 'b')), restore()]);
      expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    });
  });

  describe('a repository that is purged', () => {
    it.each(['live', 'deleted'])('cannot be restored (%s)', async (state) => {
      if (state === 'deleted') await deleteRepository(admin, app);
      await purgeRepository(admin, { name: app });
      expect(await deletedIds()).toEqual([]);
      await expect(restore()).rejects.toMatchObject({ code: 'NOT_FOUND' });
      expect((await stores.auditOf(app)).at(-1)).toMatchObject({ action: 'repository.purged' });
    });

    it('is the one that is there, and leaves a deleted one of its name', async () => {
      await deleteRepository(admin, app);
      await createRepository(admin, { name: app });
      await purgeRepository(admin, { name: app });
      expect(await deletedIds()).toHaveLength(1);
      await purgeRepository(admin, { name: app, id: (await deletedIds())[0] ?? '' });
      expect(await deletedIds()).toEqual([]);
      await expect(purgeRepository(admin, { name: repository('acme', 'none') })).rejects.toMatchObject({
        code: 'NOT_FOUND',
      });
    });
  });
}
