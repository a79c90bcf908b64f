import { randomUUID } from 'node:crypto';
import { LIBRARY } from '../accounts/namespace-name.js';
import { AccessError } from '../errors.js';
import type { AccessUnitOfWork } from '../ports/administration.js';
import type { PasswordAdministration } from './administration.js';
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
 * password is given.
 */
export async function ensureAdministrator(
  administration: PasswordAdministration,
  wanted: { readonly name: string; readonly password: string },
): Promise<EnsuredAdministrator> {
  const { existing, others } = await administration.store.run(async (tx) => ({
    existing: await tx.accounts.find(wanted.name),
    others: await tx.accounts.lockActiveAdministrators(),
  }));
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
