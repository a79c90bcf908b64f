import { parseScopes } from '@entrepot/oci';
import { describe, expect, it } from 'vitest';
import { concernsRepository } from './granted-access.js';
import { grantScopes, repositoryNamesOf } from './grant-scopes.js';
import type { AccessFacts, ScopeTarget } from './grant-scopes.js';
import type { Subject } from './subject.js';

const alice: Subject = {
  kind: 'account',
  accountId: 'alice-id',
  name: 'alice',
  isAdmin: false,
  isDisabled: false,
  accessVersion: 1,
  memberships: [],
  grants: [{ role: 'read', repositoryId: 'acme-app-id' }],
};

const targets = new Map<string, ScopeTarget>([
  [
    'alice/app',
    { namespaceId: 'alice-id', repository: { id: 'alice-app-id', visibility: 'private', accessVersion: 7 } },
  ],
  ['alice/new', { namespaceId: 'alice-id', repository: undefined }],
  ['acme/app', { namespaceId: 'acme-id', repository: { id: 'acme-app-id', visibility: 'private', accessVersion: 1 } }],
  ['acme/new', { namespaceId: 'acme-id', repository: undefined }],
  ['acme/open', { namespaceId: 'acme-id', repository: { id: 'acme-open-id', visibility: 'public', accessVersion: 1 } }],
]);

function grant(subject: Subject, ...scopes: string[]) {
  const facts: AccessFacts = { subject, targets };
  const { repositories, catalog, mount } = grantScopes(facts, parseScopes(scopes));
  return {
    catalog,
    mount,
    actions: Object.fromEntries([...repositories].map(([name, { actions }]) => [name, [...actions]])),
  };
}

describe('grantScopes', () => {
  it.each([
    ['repository:alice/app:pull,push', ['pull', 'push']],
    ['repository:alice/app:push,pull', ['pull', 'push']],
    ['repository:alice/app:*', ['pull', 'push', 'delete']],
    ['repository:alice/app:delete,admin,fly', ['delete']],
    ['repository(plugin):alice/app:pull', ['pull']],
  ])('gives the owner %s', (scope, actions) => {
    expect(grant(alice, scope)).toEqual({ catalog: false, mount: false, actions: { 'alice/app': actions } });
  });

  it('gives a reader no more than pull, whatever is asked (B-06)', () => {
    for (const scope of ['pull,push,delete,admin', '*', 'pull']) {
      expect(grant(alice, `repository:acme/app:${scope}`).actions).toEqual({ 'acme/app': ['pull'] });
    }
  });

  it('answers a private and a missing repository alike: with nothing', () => {
    const anonymous: Subject = { kind: 'anonymous' };
    for (const name of ['acme/app', 'acme/new', 'nobody/nothing', 'alice/app', 'alice/new']) {
      expect(grant(anonymous, `repository:${name}:pull,push,delete`, `repository:${name}:*`)).toEqual({
        catalog: false,
        mount: false,
        actions: {},
      });
    }
    expect(grant(anonymous, 'repository:acme/open:pull,push').actions).toEqual({ 'acme/open': ['pull'] });
    expect(grant(alice, 'repository:acme/new:pull,push').actions).toEqual({});
  });

  it('gives the whole push of a repository that is yet to be made, bound to its maker and namespace', () => {
    const facts: AccessFacts = { subject: alice, targets };
    const access = grantScopes(facts, parseScopes(['repository:alice/new:pull,push,delete'])).repositories.get(
      'alice/new',
    );
    expect(access).toEqual({
      actions: new Set(['pull', 'push']),
      repositoryId: undefined,
      namespaceId: 'alice-id',
      version: 1,
    });
  });

  it('joins several scopes, in one value or many', () => {
    const scopes = ['repository:alice/app:pull repository:acme/open:pull', 'repository:alice/app:push'];
    expect(grant(alice, ...scopes).actions).toEqual({ 'alice/app': ['pull', 'push'], 'acme/open': ['pull'] });
  });

  it('gives the catalog to whoever is signed in, and for `*` only', () => {
    expect(grant(alice, 'registry:catalog:*').catalog).toBe(true);
    expect(grant(alice, 'registry:catalog:search').catalog).toBe(false);
    expect(grant({ kind: 'anonymous' }, 'registry:catalog:*').catalog).toBe(false);
  });

  it('lets whoever is signed in mount at large, and for `pull` only', () => {
    expect(grant(alice, 'registry:mount:pull').mount).toBe(true);
    expect(grant(alice, 'registry:mount:*').mount).toBe(false);
    expect(grant({ kind: 'anonymous' }, 'registry:mount:pull').mount).toBe(false);
  });

  it('leaves out unknown types, hosts and names (B-09)', () => {
    const scopes = [
      'artefact:alice/app:pull',
      'registry:other:*',
      'repository:registry.example:443/alice/app:pull',
      'repository:Alice/App:pull',
      'repository:alice/app/../../acme/app:pull',
      'repository::pull',
      'repository',
    ];
    expect(grant(alice, ...scopes)).toEqual({ catalog: false, mount: false, actions: {} });
  });

  it('grants a disabled account nothing, public repositories included', () => {
    expect(
      grant({ ...alice, isDisabled: true }, 'repository:acme/open:pull registry:catalog:* registry:mount:pull'),
    ).toEqual({
      catalog: false,
      mount: false,
      actions: {},
    });
  });

  it('names each repository once for the look-up', () => {
    const scopes = parseScopes(['repository:hello:pull repository:library/hello:push registry:catalog:*']);
    expect(repositoryNamesOf(scopes)).toEqual(['library/hello']);
  });
});

describe('concernsRepository', () => {
  const known = { actions: new Set(['pull'] as const), repositoryId: 'one', namespaceId: 'n', version: 1 };
  const future = { ...known, repositoryId: undefined };

  it('opens the repository that was granted, and no successor of the same name (B-11)', () => {
    expect(concernsRepository(known, 'alice', { id: 'one', namespaceId: 'n' })).toBe(true);
    expect(concernsRepository(known, 'alice', { id: 'two', namespaceId: 'n', createdBy: 'alice' })).toBe(false);
  });

  it('opens a repository made since by the same account in the same namespace', () => {
    expect(concernsRepository(future, 'alice', { id: 'one', namespaceId: 'n', createdBy: 'alice' })).toBe(true);
    expect(concernsRepository(future, 'alice', { id: 'one', namespaceId: 'n', createdBy: 'bob' })).toBe(false);
    expect(concernsRepository(future, 'alice', { id: 'one', namespaceId: 'n' })).toBe(false);
    expect(concernsRepository(future, 'alice', { id: 'one', namespaceId: 'm', createdBy: 'alice' })).toBe(false);
    expect(concernsRepository(future, undefined, { id: 'one', namespaceId: 'n' })).toBe(false);
  });
});
