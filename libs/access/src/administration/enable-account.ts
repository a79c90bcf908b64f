import { requireAccount } from './administration.js';
import type { Administration } from './administration.js';

/** Lets a disabled account log in again; tokens from before stay dead. Rejects with NOT_FOUND. */
export async function enableAccount({ store, actor }: Administration, name: string): Promise<void> {
  await store.run(async (tx) => {
    const account = await requireAccount(tx, name);
    if (!account.isDisabled) return;
    await tx.accounts.setDisabled(account.id, false);
    await tx.audit({ actor, action: 'account.enabled', target: name, detail: {} });
  });
}
