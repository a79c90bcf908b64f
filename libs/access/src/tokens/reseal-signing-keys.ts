import type { SealedKey, SigningKeys } from '../ports/signing-keys.js';
import type { Sealer } from '../ports/sealer.js';
import { sealPurpose } from './rotate-signing-key.js';

/** Seals by the present secret what a former one sealed; a no-op where there is nothing of the kind. */
export async function resealSigningKeys(keys: SigningKeys, sealer: Sealer): Promise<void> {
  const isStale = ({ sealedPrivate }: SealedKey): boolean => !sealer.isCurrent(sealedPrivate);
  if (!(await keys.listSealed()).some(isStale)) return;
  await keys.change((existing) => ({
    added: undefined,
    retired: [],
    removedKids: [],
    resealed: existing.filter(isStale).map(({ kid, sealedPrivate }) => {
      const purpose = sealPurpose(kid);
      return { kid, sealedPrivate: sealer.seal(sealer.open(sealedPrivate, purpose), purpose) };
    }),
  }));
}
