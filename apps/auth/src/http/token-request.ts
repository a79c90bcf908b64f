import { parseQuery, parseScopes, RegistryError } from '@entrepot/oci';
import type { RequestedScope, ScopeLimits } from '@entrepot/oci';

/** So many scopes that every client's push fits, and so few that the token stays below what verifiers accept. */
const SCOPE_LIMITS: ScopeLimits = { maxScopes: 32, maxLength: 4096 };
const CLIENT_ID = /^[\x20-\x7e]{0,256}$/;

/** What both forms of the request ask for. */
export interface TokenRequest {
  readonly scopes: readonly RequestedScope[];
  /** The program that asks, as it names itself; refresh tokens are bound to it. */
  readonly clientId: string;
  readonly wantsRefreshToken: boolean;
}

/** By what a POST wants its token. */
export type TokenGrant =
  | { readonly kind: 'password'; readonly name: string; readonly password: string }
  | { readonly kind: 'refresh'; readonly refreshToken: string };

/** A POST that wants its token by another grant than those that are known. */
export class UnsupportedGrant extends RegistryError {
  constructor() {
    super('UNSUPPORTED', { status: 400, message: 'grant_type must be password or refresh_token' });
  }
}

/**
 * Reads the query of `GET /auth/token`. `account` is ignored: the subject is who logs in.
 * @throws RegistryError 400 for another service or scopes over the limits
 */
export function readTokenQuery(rawQuery: string, service: string): TokenRequest {
  const query = parseQuery(rawQuery);
  return {
    ...readTerms((name) => query.all(name), service),
    wantsRefreshToken: query.first('offline_token') === 'true',
  };
}

/** Reads the form of `POST /auth/token`. @throws RegistryError 400 */
export function readTokenForm(form: URLSearchParams, service: string): TokenRequest & { readonly grant: TokenGrant } {
  return {
    ...readTerms((name) => form.getAll(name), service),
    wantsRefreshToken: form.get('access_type') === 'offline',
    grant: readGrant(form),
  };
}

function readTerms(all: (name: string) => readonly string[], service: string): Omit<TokenRequest, 'wantsRefreshToken'> {
  if (all('service').some((value) => value !== service)) {
    throw new RegistryError('UNSUPPORTED', { status: 400, message: 'tokens for this service are not made here' });
  }
  const [clientId = ''] = all('client_id');
  if (!CLIENT_ID.test(clientId)) {
    throw new RegistryError('UNSUPPORTED', { status: 400, message: 'client_id must be printable ASCII' });
  }
  return { scopes: parseScopes(all('scope'), SCOPE_LIMITS), clientId };
}

function readGrant(form: URLSearchParams): TokenGrant {
  const grantType = form.get('grant_type');
  if (grantType === 'password') {
    return { kind: 'password', name: required(form, 'username'), password: required(form, 'password') };
  }
  if (grantType === 'refresh_token') return { kind: 'refresh', refreshToken: required(form, 'refresh_token') };
  throw new UnsupportedGrant();
}

function required(form: URLSearchParams, name: string): string {
  const [value, ...others] = form.getAll(name);
  if (value !== undefined && others.length === 0) return value;
  throw new RegistryError('UNSUPPORTED', { status: 400, message: `the form needs ${name}, once` });
}
