import { describe, expect, it } from 'vitest';
import { decide } from './decide.js';
import type { AccountSubject, Action, Resource, Role, Subject } from './subject.js';

const ACTIONS: readonly Action[] = ['pull', 'push', 'delete', 'manage', 'create', 'list', 'mount'];
const ACME = 'namespace-acme';
const APP = 'repository-app';

function account(facts: Partial<AccountSubject> = {}): AccountSubject {
  return {
    kind: 'account',
    accountId: 'account-alice',
    name: 'alice',
    isAdmin: false,
    isDisabled: false,
    accessVersion: 1,
    memberships: [],
    grants: [],
    ...facts,
  };
}

const member = { namespaceId: ACME, role: 'member' } as const;
const owner = { namespaceId: ACME, role: 'owner' } as const;
const onApp = (role: Role) => account({ memberships: [member], grants: [{ role, repositoryId: APP }] });
const onAcme = (role: Role) => account({ memberships: [member], grants: [{ role, namespaceId: ACME }] });

const subjects = {
  anonymous: { kind: 'anonymous' },
  'signed in': account(),
  'disabled administrator': account({ isAdmin: true, isDisabled: true }),
  'disabled owner': account({ isDisabled: true, memberships: [owner] }),
  member: account({ memberships: [member] }),
  'owner of another organisation': account({ memberships: [{ namespaceId: 'namespace-globex', role: 'owner' }] }),
  'admin of another repository': account({ grants: [{ role: 'admin', repositoryId: 'repository-other' }] }),
  'admin of another namespace': account({ grants: [{ role: 'admin', namespaceId: 'namespace-globex' }] }),
  'read on the repository': onApp('read'),
  'write on the repository': onApp('write'),
  'admin on the repository': onApp('admin'),
  'read on the namespace': onAcme('read'),
  'write on the namespace': onAcme('write'),
  'admin on the namespace': onAcme('admin'),
  'read by one team, write by another': account({
    grants: [
      { role: 'read', repositoryId: APP },
      { role: 'write', namespaceId: ACME },
    ],
  }),
  owner: account({ memberships: [owner] }),
  'user in the own namespace': account({ accountId: ACME }),
  administrator: account({ isAdmin: true }),
} as const satisfies Record<string, Subject>;

const resources = {
  'public repository': { kind: 'repository', repositoryId: APP, namespaceId: ACME, visibility: 'public' },
  'private repository': { kind: 'repository', repositoryId: APP, namespaceId: ACME, visibility: 'private' },
  namespace: { kind: 'namespace', namespaceId: ACME },
  catalog: { kind: 'catalog' },
} as const satisfies Record<string, Resource>;

/** Rows: who. Columns: what may be done to the public repository, the private one, the namespace, the catalog. */
const LIST = 'list mount';
const PULL = 'pull';
const WRITE = 'pull push delete';
const ALL = 'pull push delete manage';
const table: Readonly<Record<keyof typeof subjects, readonly [string, string, string, string]>> = {
  anonymous: [PULL, '', '', ''],
  'signed in': [PULL, '', '', LIST],
  'disabled administrator': ['', '', '', ''],
  'disabled owner': ['', '', '', ''],
  member: [PULL, '', '', LIST],
  'owner of another organisation': [PULL, '', '', LIST],
  'admin of another repository': [PULL, '', '', LIST],
  'admin of another namespace': [PULL, '', '', LIST],
  'read on the repository': [PULL, PULL, '', LIST],
  'write on the repository': [WRITE, WRITE, '', LIST],
  'admin on the repository': [ALL, ALL, '', LIST],
  'read on the namespace': [PULL, PULL, '', LIST],
  'write on the namespace': [WRITE, WRITE, '', LIST],
  'admin on the namespace': [ALL, ALL, 'create', LIST],
  'read by one team, write by another': [WRITE, WRITE, '', LIST],
  owner: [ALL, ALL, 'manage create', LIST],
  'user in the own namespace': [ALL, ALL, 'manage create', LIST],
  administrator: [ALL, ALL, 'manage create', LIST],
};

const cells = Object.entries(table).flatMap(([who, columns]) =>
  Object.keys(resources).map((what, column) => ({ who, what, allowed: columns[column] ?? '' })),
);

describe('decide', () => {
  it.each(cells)('$who, $what: $allowed', ({ who, what, allowed }) => {
    const subject = subjects[who as keyof typeof subjects];
    const resource = resources[what as keyof typeof resources];
    expect(ACTIONS.filter((action) => decide(subject, action, resource))).toEqual(
      allowed.split(' ').filter((action) => action !== ''),
    );
  });
});
