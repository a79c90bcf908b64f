import { createPrivateKey } from 'node:crypto';
import { AccessError } from '../errors.js';
import { pollEvery } from '../poll.js';
import type { Polling } from '../poll.js';
import type { PublicJwk, SealedKey, SigningKeys } from '../ports/signing-keys.js';
import type { Sealer } from '../ports/sealer.js';
import type { SigningKey } from './mint-token.js';
import { resealSigningKeys } from './reseal-signing-keys.js';
import { currentKey, isRotationDue, rotateSigningKey, sealPurpose } from './rotate-signing-key.js';

const REFRESH_INTERVAL_MS = 10_000;

export interface SigningKeyRingOptions {
  readonly store: SigningKeys;
  readonly sealer: Sealer;
  readonly rotationMs: number;
  readonly nowMs: () => number;
}

/** The issuer's keys in memory: which one signs now, and which ones to publish. */
export class SigningKeyRing {
  #keys: readonly (SealedKey & SigningKey)[] = [];
  #polling: Polling | undefined;

  constructor(private readonly options: SigningKeyRingOptions) {}

  /**
   * Resolves once a key can sign; then follows rotation. Keys that a former secret sealed are sealed by the present one, so
   * that the former can be dropped once every issuer was started with both. @throws AccessError KEY_UNREADABLE where the configured
   * secret does not open a stored key.
   */
  async start(onError: (error: unknown) => void): Promise<void> {
    await this.refresh();
    await resealSigningKeys(this.options.store, this.options.sealer);
    this.#polling = pollEvery(REFRESH_INTERVAL_MS, () => this.refresh(), onError);
  }

  async stop(): Promise<void> {
    await this.#polling?.stop();
  }

  /** Rotates if that is due, and takes over what is stored. */
  async refresh(): Promise<void> {
    const { store, sealer, rotationMs, nowMs } = this.options;
    let sealed = await store.listSealed();
    if (isRotationDue(sealed, nowMs(), rotationMs)) {
      await rotateSigningKey(store, { sealer, rotationMs, nowMs: nowMs() });
      sealed = await store.listSealed();
    }
    this.#keys = sealed.map((key) => this.#keys.find((known) => known.kid === key.kid) ?? this.#unseal(key));
  }

  /** The key to sign with now. */
  current(): SigningKey {
    const key = currentKey(this.#keys, this.options.nowMs());
    if (!key) throw new Error('no signing key is loaded');
    return key;
  }

  /** The public key set, keys that do not sign yet or no longer included. */
  published(): PublicJwk[] {
    return this.#keys.map((key) => key.publicJwk);
  }

  #unseal(key: SealedKey): SealedKey & SigningKey {
    try {
      return {
        ...key,
        privateKey: createPrivateKey(this.options.sealer.open(key.sealedPrivate, sealPurpose(key.kid))),
      };
    } catch (error) {
      const message = `signing key ${key.kid} cannot be opened: ENTREPOT_SECRETS_KEY lacks the secret that sealed it; put that secret back behind the new one`;
      throw new AccessError('KEY_UNREADABLE', message, { cause: error });
    }
  }
}
