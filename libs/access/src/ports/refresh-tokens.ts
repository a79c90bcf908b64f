import type { LoginRecord } from './credentials.js';

export interface NewRefreshToken {
  readonly secretSha256: Uint8Array;
  readonly accountId: string;
  /** The account's credential version; the token ends when that grows. */
  readonly credentialVersion: number;
  readonly service: string;
  /** What the client called itself. */
  readonly clientId: string;
  readonly expiresAtMs: number;
}

/** A refresh token that is known and not expired, with its account as it is now. */
export interface FoundRefreshToken {
  readonly login: LoginRecord;
  readonly credentialVersion: number;
  readonly service: string;
}

/** Opaque refresh tokens; only the SHA-256 of each is kept. */
export interface RefreshTokens {
  /** Stores the token and removes the account's expired ones, and the oldest beyond `keep`. */
  insert(token: NewRefreshToken, keep: number): Promise<void>;
  find(secretSha256: Uint8Array): Promise<FoundRefreshToken | undefined>;
}
