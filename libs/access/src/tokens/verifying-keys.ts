import { createPublicKey } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { pollEvery } from '../poll.js';
import type { Polling } from '../poll.js';
import type { PublicKeys, PublishedKey } from '../ports/signing-keys.js';

const REFRESH_INTERVAL_MS = 10_000;
/** A storm of unknown key ids causes one load in this time and no more. */
const UNKNOWN_KID_INTERVAL_MS = 1_000;

/** The public keys that a data plane trusts, kept fresh from the store. */
export class VerifyingKeys {
  #keys: ReadonlyMap<string, KeyObject> = new Map();
  #polling: Polling | undefined;
  #loading: Promise<boolean> | undefined;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  /** Why the latest load failed; undefined once one succeeded. */
  #failure: unknown;

  constructor(
    private readonly store: PublicKeys,
    private readonly nowMs: () => number,
  ) {}

  /** Resolves once the keys are loaded; keeps them fresh from then on. */
  async start(onError: (error: unknown) => void): Promise<void> {
    await this.refresh();
    this.#polling = pollEvery(REFRESH_INTERVAL_MS, () => this.refresh(), onError);
  }

  async stop(): Promise<void> {
    await this.#polling?.stop();
  }

  /** Keys by id. */
  current(): ReadonlyMap<string, KeyObject> {
    return this.#keys;
  }

  /**
   * Loads the keys again unless that was just done. True where it was done now, so that another look is worthwhile. Rejects
   * while the store is away: nobody can say then that there is no such key.
   */
  async refreshForUnknownKid(): Promise<boolean> {
    if (this.#loading) return this.#loading;
    if (this.nowMs() - this.#loadedAtMs < UNKNOWN_KID_INTERVAL_MS) {
      if (this.#failure !== undefined) throw this.#failure;
      return false;
    }
    this.#loading = this.refresh().then(() => true);
    try {
      return await this.#loading;
    } finally {
      this.#loading = undefined;
    }
  }

  async refresh(): Promise<void> {
    this.#loadedAtMs = this.nowMs();
    try {
      const published = await this.store.listPublished();
      this.#keys = new Map(published.map((key) => [key.kid, this.#keys.get(key.kid) ?? importKey(key)]));
      this.#failure = undefined;
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }
}

function importKey({ publicJwk: { kty, crv, x, y } }: PublishedKey): KeyObject {
  return createPublicKey({ key: { kty, crv, x, y }, format: 'jwk' });
}
