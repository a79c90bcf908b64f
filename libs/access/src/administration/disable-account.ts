import { AccessError } from '../errors.js';
import { requireAccount } from './administration.js';
import type { Administration } from './administration.js';

/**
 * Shuts the account out: no login, and every token of it ends. What it owns stays. Rejects with NOT_FOUND, or with
 * LAST_ADMINISTRATOR where nobody would be left to enable it again.
 */
export async function disableAccount({ store, actor }: Administration, name: string): Promise<void> {
  await store.run(async (tx) => {
    const administrators = await tx.accounts.lockActiveAdministrators();
    const account = await requireAccount(tx, name);
    if (account.isDisabled) return;
    if (administrators.length === 1 && administrators[0] === account.id) {
      throw new AccessError('LAST_ADMINISTRATOR', `${name} is the last administrator; make another one first`);
    }
    await tx.accounts.setDisabled(account.id, true);
    await tx.accounts.withdrawCredentials(account.id);
    await tx.audit({ actor, action: 'account.disabled', target: name, detail: {} });
  });
}
