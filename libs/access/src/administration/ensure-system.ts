import { randomUUID } from 'node:crypto';
import { LIBRARY } from '../accounts/namespace-name.js';
import { AccessError } from '../errors.js';
import { checkNewPassword } from '../passwords/password-rules.js';
import type { AccessUnitOfWork, AccountRecord } from '../ports/administration.js';
import { requireAccount, type PasswordAdministration } from './administration.js';
import { createAccount } from './create-account.js';

/**
 * Makes the organisation `library` if there is none: home of the repositories with names of one component. It has no
 * owner, so it is the system administrators'; others get in by grants.
 */
export async function ensureSystemNamespaces(store: AccessUnitOfWork): Promise<void> {
  await store.run(async (tx) => {
    await tx.namespaces.insert({
      id: randomUUID(),
      name: LIBRARY,
      kind: 'organisation',
      defaultVisibility: 'private',
    });
  });
}

/**
 * `kept`: an administrator was there before; `isPasswordAnother` where the password that was given is not that of the
 * account of that name.
 */
export type EnsuredAdministrator =
  { readonly outcome: 'created' } | { readonly outcome: 'kept'; readonly isPasswordAnother: boolean };

/**
 * Makes the first administrator, unless an account is one already. One of that name that exists is not changed, whatever
 * password is given; but one that a rebuild left, which nobody can use, gets it.
 */
export async function ensureAdministrator(
  administration: PasswordAdministration,
  wanted: { readonly name: string; readonly password: string },
): Promise<EnsuredAdministrator> {
  const { existing, others } = await administration.store.run(async (tx) => ({
    existing: await tx.accounts.find(wanted.name),
    others: await tx.accounts.lockActiveAdministrators(),
  }));
  if (existing && others.length === 0 && isRebuilt(existing)) {
    await reviveAdministrator(administration, wanted);
    return { outcome: 'created' };
  }
  if (existing) {
    const isSame = await administration.passwords.matches(existing.passwordHash, wanted.password);
    return { outcome: 'kept', isPasswordAnother: !isSame };
  }
  if (others.length > 0) return { outcome: 'kept', isPasswordAnother: true };
  try {
    await createAccount(administration, { ...wanted, isAdmin: true });
    return { outcome: 'created' };
  } catch (error) {
    // Another process that starts at the same time may have been first.
    if (!(error instanceof AccessError) || error.code !== 'NAME_TAKEN') throw error;
    return { outcome: 'kept', isPasswordAnother: false };
  }
}

/** An administrator without a password: no other way leads there. */
function isRebuilt({ isAdmin, isDisabled, passwordHash }: AccountRecord): boolean {
  return isAdmin && isDisabled && passwordHash === undefined;
}

async function reviveAdministrator(
  { store, actor, passwords }: PasswordAdministration,
  { name, password }: { readonly name: string; readonly password: string },
): Promise<void> {
  checkNewPassword(password);
  const passwordHash = await passwords.hash(password);
  await store.run(async (tx) => {
    const account = await requireAccount(tx, name);
    await tx.accounts.setPasswordHash(account.id, passwordHash);
    await tx.accounts.setDisabled(account.id, false);
    await tx.accounts.withdrawCredentials(account.id);
    await tx.audit({ actor, action: 'account.revived', target: name, detail: {} });
  });
}
