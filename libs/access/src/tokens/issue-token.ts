import type { RequestedScope } from '@entrepot/oci';
import type { Login } from '../accounts/authenticate.js';
import { AccessError } from '../errors.js';
import { grantScopes, repositoryNamesOf } from '../grants/grant-scopes.js';
import type { GrantedAccess } from '../grants/granted-access.js';
import type { AccessReader } from '../ports/access-reader.js';
import { mintToken } from './mint-token.js';
import type { MintedToken, SigningKey, TokenBearer } from './mint-token.js';

export interface TokenIssuerOptions {
  readonly reader: AccessReader;
  readonly signingKey: () => SigningKey;
  readonly issuer: string;
  readonly service: string;
  readonly lifetimeMs: number;
  readonly nowMs: () => number;
}

export interface IssuedToken extends MintedToken {
  readonly granted: GrantedAccess;
}

/**
 * Makes a token for who logged in (undefined: anonymous) with what is allowed of the scopes.
 * Rejects with CREDENTIALS_REFUSED where the account was disabled since.
 */
export type IssueToken = (login: Login | undefined, scopes: readonly RequestedScope[]) => Promise<IssuedToken>;

export function createTokenIssuer(options: TokenIssuerOptions): IssueToken {
  return async (login, scopes) => {
    const { bearer, granted } = await resolveAccess(options.reader, login, scopes);
    const minted = mintToken(options.signingKey(), {
      issuer: options.issuer,
      audience: options.service,
      bearer,
      access: granted,
      nowMs: options.nowMs(),
      lifetimeMs: options.lifetimeMs,
    });
    return { ...minted, granted };
  };
}

export interface ResolvedAccess {
  readonly bearer: TokenBearer;
  readonly granted: GrantedAccess;
}

/** What is allowed of the scopes now. Serves tokens, and Basic credentials that come without one. */
export async function resolveAccess(
  reader: AccessReader,
  login: Login | undefined,
  scopes: readonly RequestedScope[],
): Promise<ResolvedAccess> {
  const facts = await reader.loadAccess(login?.accountId, repositoryNamesOf(scopes));
  const subject = facts?.subject;
  if (!facts || !subject || (subject.kind === 'account' && subject.isDisabled)) {
    throw new AccessError('CREDENTIALS_REFUSED', 'the account is disabled');
  }
  const bearer: TokenBearer =
    subject.kind === 'account'
      ? { accountId: subject.accountId, accountName: subject.name, accountVersion: subject.accessVersion }
      : { accountId: undefined, accountName: '', accountVersion: 0 };
  return { bearer, granted: grantScopes(facts, scopes) };
}
