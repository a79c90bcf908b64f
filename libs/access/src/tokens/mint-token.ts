import { randomUUID, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { GrantedAccess } from '../grants/granted-access.js';
import { MAX_TOKEN_LIFETIME_MS, MIN_TOKEN_LIFETIME_MS } from './token-limits.js';
import { ACCESS_TOKEN_KIND, accessClaims } from './token-payload.js';
import type { TokenPayload } from './token-payload.js';

/** `nbf` lies this far back, for verifiers whose clock is a little behind. */
const NOT_BEFORE_SECONDS = 10;

export interface SigningKey {
  readonly kid: string;
  /** P-256. */
  readonly privateKey: KeyObject;
}

/** Whom a token is for; anonymous has no id, an empty name and version 0. */
export interface TokenBearer {
  readonly accountId: string | undefined;
  readonly accountName: string;
  readonly accountVersion: number;
}

export interface TokenOrder {
  readonly issuer: string;
  /** The service that the token is for; the only audience. */
  readonly audience: string;
  readonly bearer: TokenBearer;
  readonly access: GrantedAccess;
  readonly nowMs: number;
  /** Between MIN_TOKEN_LIFETIME_MS and MAX_TOKEN_LIFETIME_MS. */
  readonly lifetimeMs: number;
}

export interface MintedToken {
  readonly token: string;
  readonly issuedAtMs: number;
  readonly expiresInSeconds: number;
}

/** Signs a token: compact JWS, ES256 with the raw r‖s signature (RFC 7518, 3.4). */
export function mintToken(key: SigningKey, order: TokenOrder): MintedToken {
  if (order.lifetimeMs < MIN_TOKEN_LIFETIME_MS || order.lifetimeMs > MAX_TOKEN_LIFETIME_MS) {
    throw new RangeError(`token lifetime out of bounds: ${order.lifetimeMs} ms`);
  }
  const issuedAt = Math.floor(order.nowMs / 1000);
  const expiresInSeconds = Math.floor(order.lifetimeMs / 1000);
  const { access, acc } = accessClaims(order.access);
  const payload: TokenPayload = {
    iss: order.issuer,
    sub: order.bearer.accountName,
    aud: order.audience,
    exp: issuedAt + expiresInSeconds,
    nbf: issuedAt - NOT_BEFORE_SECONDS,
    iat: issuedAt,
    jti: randomUUID(),
    access,
    ent: { t: ACCESS_TOKEN_KIND, uid: order.bearer.accountId ?? null, av: order.bearer.accountVersion, acc },
  };
  const signed = `${encode({ typ: 'JWT', alg: 'ES256', kid: key.kid })}.${encode(payload)}`;
  const signature = sign('sha256', Buffer.from(signed), { key: key.privateKey, dsaEncoding: 'ieee-p1363' });
  return { token: `${signed}.${signature.toString('base64url')}`, issuedAtMs: issuedAt * 1000, expiresInSeconds };
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}
