import { checkNewPassword } from '../passwords/password-rules.js';
import { requireAccount } from './administration.js';
import type { PasswordAdministration } from './administration.js';

/** Replaces the password and ends every token of the account. Rejects with NOT_FOUND or PASSWORD_INVALID. */
export async function resetPassword(
  { store, actor, passwords }: PasswordAdministration,
  name: string,
  password: string,
): Promise<void> {
  checkNewPassword(password);
  const passwordHash = await passwords.hash(password);
  await store.run(async (tx) => {
    const account = await requireAccount(tx, name);
    await tx.accounts.setPasswordHash(account.id, passwordHash);
    await tx.accounts.withdrawCredentials(account.id);
    await tx.audit({ actor, action: 'account.password_reset', target: name, detail: {} });
  });
}
