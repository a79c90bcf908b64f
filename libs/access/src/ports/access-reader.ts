import type { AccessFacts } from '../grants/grant-scopes.js';

/** Facts for `decide`, read when a token is made or Basic credentials are used. */
export interface AccessReader {
  /**
   * Who the account is (undefined: anonymous) and what stands under the canonical repository names, with the
   * memberships and grants that touch them; one round trip. Undefined where there is no such account.
   */
  loadAccess(accountId: string | undefined, repositoryNames: readonly string[]): Promise<AccessFacts | undefined>;
}
