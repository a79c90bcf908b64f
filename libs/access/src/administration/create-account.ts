import { randomUUID } from 'node:crypto';
import { checkNewNamespaceName } from '../accounts/namespace-name.js';
import { AccessError } from '../errors.js';
import { checkNewPassword } from '../passwords/password-rules.js';
import type { AccessTransaction, AccountRecord, Actor } from '../ports/administration.js';
import type { PasswordAdministration } from './administration.js';

export interface NewAccount {
  readonly name: string;
  readonly password: string;
  readonly isAdmin: boolean;
}

/** Makes a user with a namespace of the same name. Rejects with NAME_INVALID, NAME_TAKEN or PASSWORD_INVALID. */
export async function createAccount(administration: PasswordAdministration, account: NewAccount): Promise<void> {
  checkNewNamespaceName(account.name);
  checkNewPassword(account.password);
  const passwordHash = await administration.passwords.hash(account.password);
  const { name, isAdmin } = account;
  await administration.store.run((tx) => insertAccount(tx, administration.actor, { name, isAdmin, passwordHash }));
}

/** Namespace, account and audit row. Rejects with NAME_TAKEN. */
export async function insertAccount(
  tx: AccessTransaction,
  actor: Actor,
  account: Pick<AccountRecord, 'name' | 'isAdmin' | 'passwordHash'>,
): Promise<void> {
  const { name, isAdmin } = account;
  const id = randomUUID();
  const isFree = await tx.namespaces.insert({ id, name, kind: 'user', defaultVisibility: 'private' });
  if (!isFree) throw nameTaken(name);
  await tx.accounts.insert({ id, isDisabled: false, ...account });
  await tx.audit({ actor, action: 'account.created', target: name, detail: { isAdmin } });
}

/** Users and organisations share one set of names. */
export function nameTaken(name: string): AccessError {
  return new AccessError('NAME_TAKEN', `a user or an organisation named ${name} exists already`);
}
