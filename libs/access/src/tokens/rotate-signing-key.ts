import { generateKeyPairSync } from 'node:crypto';
import type { KeyChange, PublicJwk, PublishedKey, SealedKey, SigningKeys } from '../ports/signing-keys.js';
import type { Sealer } from '../ports/sealer.js';
import { keyFingerprint } from './key-fingerprint.js';
import { MAX_TOKEN_LIFETIME_MS, TOKEN_LEEWAY_MS } from './token-limits.js';

/**
 * A new key is published this long before it signs: every verifier loads the key set again within that time
 * (data planes every 10 s; `/auth/jwks` may be cached for 30 s), so no token of the new key meets one that lacks it.
 */
export const KEY_PUBLISH_MARGIN_MS = 60_000;

export interface RotationOptions {
  readonly sealer: Sealer;
  readonly nowMs: number;
  /** Age at which a key gets a successor. */
  readonly rotationMs: number;
  /** Makes a successor whatever the age. */
  readonly isForced?: boolean;
}

/** Purpose that a private key is sealed for. */
export function sealPurpose(kid: string): string {
  return `signing-key:${kid}`;
}

/** The key that signs now: the latest of those whose time has come. */
export function currentKey<Key extends PublishedKey>(keys: readonly Key[], nowMs: number): Key | undefined {
  return keys
    .filter((key) => key.signsFromMs <= nowMs)
    .reduce<Key | undefined>(
      (latest, key) => (latest && latest.signsFromMs >= key.signsFromMs ? latest : key),
      undefined,
    );
}

/** True where there is no key, or the latest has reached its age. A successor that waits for its time is enough. */
export function isRotationDue(keys: readonly PublishedKey[], nowMs: number, rotationMs: number): boolean {
  return keys.every((key) => key.signsFromMs + rotationMs <= nowMs);
}

/** A key that a rotation made. */
export type SuccessorKey = Pick<PublishedKey, 'kid' | 'signsFromMs'>;

/**
 * Gives the signing key a successor where one is due, and drops keys past their end. The first key signs at once; a
 * successor after KEY_PUBLISH_MARGIN_MS, while its predecessor verifies until its last token has expired: no outage.
 * Resolves with the key that was made, if one was. Safe to call from any number of processes.
 */
export async function rotateSigningKey(keys: SigningKeys, options: RotationOptions): Promise<SuccessorKey | undefined> {
  let added: SuccessorKey | undefined;
  await keys.change((existing) => {
    const change = planRotation(existing, options);
    added = change.added;
    return change;
  });
  return added && { kid: added.kid, signsFromMs: added.signsFromMs };
}

function planRotation(keys: readonly SealedKey[], options: RotationOptions): KeyChange {
  const { nowMs } = options;
  const isPast = (key: SealedKey): boolean => key.verifiesUntilMs !== undefined && key.verifiesUntilMs < nowMs;
  const removedKids = keys.filter(isPast).map((key) => key.kid);
  const hasPending = keys.some((key) => key.signsFromMs > nowMs);
  const isDue = isRotationDue(keys, nowMs, options.rotationMs) || (options.isForced === true && !hasPending);
  if (!isDue) return { added: undefined, retired: [], removedKids, resealed: [] };
  const signsFromMs = keys.length === 0 ? nowMs : nowMs + KEY_PUBLISH_MARGIN_MS;
  const verifiesUntilMs = signsFromMs + MAX_TOKEN_LIFETIME_MS + 2 * TOKEN_LEEWAY_MS;
  const retired = keys
    .filter((key) => key.verifiesUntilMs === undefined)
    .map((key) => ({ kid: key.kid, verifiesUntilMs }));
  return { added: makeKey(signsFromMs, options.sealer), retired, removedKids, resealed: [] };
}

function makeKey(signsFromMs: number, sealer: Sealer): SealedKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = keyFingerprint(publicKey);
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const publicJwk: PublicJwk = { kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: 'ES256' };
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { kid, publicJwk, signsFromMs, verifiesUntilMs: undefined, sealedPrivate: sealer.seal(pem, sealPurpose(kid)) };
}
