import { verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { GenerationCache } from '../generation-cache.js';
import type { GrantedAccess } from '../grants/granted-access.js';
import { MAX_TOKEN_LENGTH, MAX_TOKEN_LIFETIME_MS, TOKEN_LEEWAY_MS } from './token-limits.js';
import { ACCESS_TOKEN_KIND, grantedAccessOf, tokenPayloadSchema } from './token-payload.js';
import type { TokenPayload } from './token-payload.js';
import { TokenRefused } from './token-refused.js';

/** Three base64url parts; an ES256 signature is 64 bytes, that is 86 characters. Linear: the classes exclude the dot. */
const TOKEN_SHAPE = /^([\w-]+)\.([\w-]+)\.([\w-]{86})$/;
const MAX_KID_LENGTH = 128;
const DEFAULT_CACHE_ENTRIES = 10_000;

/** What a good token says. */
export interface VerifiedToken extends GrantedAccess {
  /** Undefined for anonymous. */
  readonly accountId: string | undefined;
  /** Empty for anonymous. */
  readonly accountName: string;
  readonly accountVersion: number;
  readonly notBeforeMs: number;
  readonly expiresAtMs: number;
}

/** Tells what was withdrawn since a token was made. */
export interface Revocations {
  /** False where the account lost rights after it had this version. */
  isAccountCurrent(accountId: string, version: number): boolean;
  /** False where rights on the repository were withdrawn after it had this version. */
  isRepositoryCurrent(repositoryId: string, version: number): boolean;
}

export interface TokenVerifierOptions {
  readonly issuer: string;
  readonly audience: string;
  /** Public keys by id: P-256 only. */
  readonly keys: () => ReadonlyMap<string, KeyObject>;
  /** Loads the key set again if it was not just done; true where it did. Rejects where it cannot be known now. */
  readonly onUnknownKid: () => Promise<boolean>;
  readonly revocations: Revocations;
  readonly nowMs: () => number;
  /** Verified tokens that are remembered. */
  readonly cacheEntries?: number;
}

export interface TokenVerifier {
  /**
   * The hot path: a token that was verified before, with time and revocation checked anew and nothing else; undefined
   * for one not seen yet. @throws TokenRefused
   */
  recall(token: string): VerifiedToken | undefined;
  /**
   * Checks everything, and remembers the token if it is good. Rejects with `TokenRefused`, or with what `onUnknownKid`
   * rejected with: that says nothing about the token.
   */
  verify(token: string): Promise<VerifiedToken>;
}

/**
 * Verifies tokens on the spot: ES256 under a published key, our issuer, our audience, our kind, within its times.
 * The signature algorithm follows from the trusted key and never from the token (RFC 8725, 3.1).
 */
export function createTokenVerifier(options: TokenVerifierOptions): TokenVerifier {
  const seen = new GenerationCache<string, VerifiedToken>(options.cacheEntries ?? DEFAULT_CACHE_ENTRIES);
  const recall = (token: string): VerifiedToken | undefined => {
    const known = seen.get(token);
    if (known) checkNow(known, options);
    return known;
  };
  return {
    recall,
    async verify(token) {
      const parts = splitToken(token);
      const kid = readKid(parts.header);
      let key = options.keys().get(kid);
      if (!key && (await options.onUnknownKid())) key = options.keys().get(kid);
      if (!key) throw new TokenRefused('unknown-key');
      checkSignature(parts, key);
      const verified = readPayload(parts.payload, options);
      checkNow(verified, options);
      seen.set(token, verified);
      return verified;
    },
  };
}

interface TokenParts {
  readonly signed: string;
  readonly header: string;
  readonly payload: string;
  readonly signature: string;
}

function splitToken(token: string): TokenParts {
  if (token.length > MAX_TOKEN_LENGTH) throw new TokenRefused('too-large');
  const [, header, payload, signature] = TOKEN_SHAPE.exec(token) ?? [];
  if (header === undefined || payload === undefined || signature === undefined) throw new TokenRefused('malformed');
  return { signed: token.slice(0, -(signature.length + 1)), header, payload, signature };
}

/** Exactly the header that we write: a token that brings a key, a URL or a critical extension is not ours. */
function readKid(header: string): string {
  const fields = parseJson(header);
  if (typeof fields !== 'object' || fields === null) throw new TokenRefused('malformed');
  const { typ, alg, kid, ...others } = fields as Readonly<Record<string, unknown>>;
  if (typ !== 'JWT' || alg !== 'ES256') throw new TokenRefused('algorithm');
  if (Object.keys(others).length > 0) throw new TokenRefused('malformed');
  if (typeof kid !== 'string' || kid.length > MAX_KID_LENGTH) throw new TokenRefused('unknown-key');
  return kid;
}

function checkSignature(parts: TokenParts, key: KeyObject): void {
  const signature = Buffer.from(parts.signature, 'base64url');
  // The last character has spare bits: without this, one signature would have sixteen spellings.
  if (signature.toString('base64url') !== parts.signature) throw new TokenRefused('malformed');
  const isGood = verify('sha256', Buffer.from(parts.signed), { key, dsaEncoding: 'ieee-p1363' }, signature);
  if (!isGood) throw new TokenRefused('signature');
}

function readPayload(encoded: string, { issuer, audience, nowMs }: TokenVerifierOptions): VerifiedToken {
  const parsed = tokenPayloadSchema.safeParse(parseJson(encoded));
  if (!parsed.success) throw new TokenRefused('malformed');
  const payload: TokenPayload = parsed.data;
  if (payload.iss !== issuer) throw new TokenRefused('issuer');
  if (payload.aud !== audience) throw new TokenRefused('audience');
  if (payload.ent.t !== ACCESS_TOKEN_KIND) throw new TokenRefused('kind');
  const lifetimeMs = (payload.exp - payload.iat) * 1000;
  if (lifetimeMs <= 0 || lifetimeMs > MAX_TOKEN_LIFETIME_MS) throw new TokenRefused('lifetime');
  if (payload.iat * 1000 > nowMs() + TOKEN_LEEWAY_MS) throw new TokenRefused('not-yet-valid');
  return Object.freeze({
    ...grantedAccessOf(payload),
    accountId: payload.ent.uid ?? undefined,
    accountName: payload.sub,
    accountVersion: payload.ent.av,
    notBeforeMs: payload.nbf * 1000,
    expiresAtMs: payload.exp * 1000,
  });
}

/** What can change after the first look: the time, and the account's rights. */
function checkNow(token: VerifiedToken, { nowMs, revocations }: TokenVerifierOptions): void {
  const now = nowMs();
  if (now >= token.expiresAtMs + TOKEN_LEEWAY_MS) throw new TokenRefused('expired');
  if (now < token.notBeforeMs - TOKEN_LEEWAY_MS) throw new TokenRefused('not-yet-valid');
  if (token.accountId !== undefined && !revocations.isAccountCurrent(token.accountId, token.accountVersion)) {
    throw new TokenRefused('revoked');
  }
}

function parseJson(encoded: string): unknown {
  try {
    return JSON.parse(Buffer.from(encoded, 'base64url').toString('utf8'));
  } catch {
    throw new TokenRefused('malformed');
  }
}
