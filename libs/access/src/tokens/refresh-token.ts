import { createHash, randomBytes } from 'node:crypto';
import { loginOf } from '../accounts/authenticate.js';
import type { Login } from '../accounts/authenticate.js';
import { AccessError } from '../errors.js';
import type { RefreshTokens } from '../ports/refresh-tokens.js';

/** Tells secret scanners, and people, what it is. */
const PREFIX = 'entrepot_rt_';
const SECRET_BYTES = 32;
const SHAPE = /^entrepot_rt_[\w-]{43}$/;
/** Tokens kept for an account; each `docker login` makes one. */
const MAX_PER_ACCOUNT = 100;

/** What a refresh token is made for. */
export interface RefreshTerms {
  /** The token is good for this service only. */
  readonly service: string;
  /** What the client calls itself. Recorded and not compared: see `redeemRefreshToken`. */
  readonly clientId: string;
  readonly expiresAtMs: number;
}

/** Makes a refresh token; only its hash is stored. */
export async function issueRefreshToken(tokens: RefreshTokens, login: Login, terms: RefreshTerms): Promise<string> {
  const text = PREFIX + randomBytes(SECRET_BYTES).toString('base64url');
  const { accountId, credentialVersion } = login;
  await tokens.insert({ ...terms, secretSha256: sha256(text), accountId, credentialVersion }, MAX_PER_ACCOUNT);
  return text;
}

/**
 * The account that a refresh token stands for. It is not used up: clients keep what `docker login` was given, and
 * ignore another one. They also share it: `docker manifest`, skopeo, crane and oras read what `docker login` wrote, and
 * each has a `client_id` of its own, which proves nothing. Ends with its time, a disabled account or a new password, and
 * not with a change of grants. Rejects with CREDENTIALS_REFUSED.
 */
export async function redeemRefreshToken(tokens: RefreshTokens, text: string, service: string): Promise<Login> {
  const found = SHAPE.test(text) ? await tokens.find(sha256(text)) : undefined;
  const isGood =
    found !== undefined &&
    found.service === service &&
    found.credentialVersion === found.login.credentialVersion &&
    !found.login.isDisabled;
  if (!isGood) throw new AccessError('CREDENTIALS_REFUSED', 'the refresh token is unknown, expired or revoked');
  return loginOf(found.login);
}

function sha256(text: string): Uint8Array {
  return createHash('sha256').update(text).digest();
}
