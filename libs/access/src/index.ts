export { createAuthenticator, loginOf } from './accounts/authenticate.js';
export type { Authenticate, AuthenticatorOptions, Login, LoginAttempt } from './accounts/authenticate.js';
export { answerLoginError } from './accounts/answer-login-error.js';
export { createLogin } from './accounts/create-login.js';
export type { LoginParts } from './accounts/create-login.js';
export { counterWithFallback } from './accounts/fallback-attempt-counter.js';
export { LoginThrottle } from './accounts/login-throttle.js';
export type { LoginOrigin, LoginStanding, LoginThrottleOptions } from './accounts/login-throttle.js';
export { isNamespaceName, LIBRARY } from './accounts/namespace-name.js';
export { loginSection, tokenSection } from './config.js';
export type { LoginConfig, TokenConfig } from './config.js';
export { AccessError } from './errors.js';
export type { AccessErrorCode, AccessErrorOptions } from './errors.js';
export { decide } from './grants/decide.js';
export { grantScopes, repositoryNamesOf } from './grants/grant-scopes.js';
export type { AccessFacts, ScopeTarget } from './grants/grant-scopes.js';
export { concernsRepository, FIRST_ACCESS_VERSION, REPOSITORY_ACTIONS } from './grants/granted-access.js';
export type { FoundRepository, GrantedAccess, RepositoryAccess, RepositoryAction } from './grants/granted-access.js';
export type {
  AccountSubject,
  Action,
  AnonymousSubject,
  CatalogResource,
  HeldGrant,
  NamespaceResource,
  RepositoryResource,
  Resource,
  Role,
  Subject,
  Visibility,
} from './grants/subject.js';
export { PasswordHasher } from './passwords/password-hasher.js';
export type { PasswordHasherOptions } from './passwords/password-hasher.js';
export { isUsablePassword } from './passwords/password-rules.js';
export type { AccessChangeFeed, AccessChanges } from './ports/access-change-feed.js';
export type { AccessReader } from './ports/access-reader.js';
export type { AttemptCount, AttemptCounter } from './ports/attempt-counter.js';
export type { Credentials, LoginRecord } from './ports/credentials.js';
export type { FoundRefreshToken, NewRefreshToken, RefreshTokens } from './ports/refresh-tokens.js';
export type { Sealer } from './ports/sealer.js';
export type { KeyChange, PublicJwk, PublicKeys, PublishedKey, SealedKey, SigningKeys } from './ports/signing-keys.js';
export { AnnouncedChanges } from './revocation/announced-changes.js';
export { RevocationList } from './revocation/revocation-list.js';
export { basicChallenge, bearerChallenge } from './tokens/bearer-challenge.js';
export type { BearerChallenge } from './tokens/bearer-challenge.js';
export { createTokenIssuer, resolveAccess } from './tokens/issue-token.js';
export type { IssuedToken, IssueToken, ResolvedAccess, TokenIssuerOptions } from './tokens/issue-token.js';
export { keyFingerprint } from './tokens/key-fingerprint.js';
export { mintToken } from './tokens/mint-token.js';
export type { MintedToken, SigningKey, TokenBearer, TokenOrder } from './tokens/mint-token.js';
export { readAuthorization } from './tokens/read-authorization.js';
export type { Authorization } from './tokens/read-authorization.js';
export { issueRefreshToken, redeemRefreshToken } from './tokens/refresh-token.js';
export type { RefreshTerms } from './tokens/refresh-token.js';
export { KEY_PUBLISH_MARGIN_MS, rotateSigningKey, sealPurpose } from './tokens/rotate-signing-key.js';
export type { RotationOptions, SuccessorKey } from './tokens/rotate-signing-key.js';
export { SigningKeyRing } from './tokens/signing-key-ring.js';
export type { SigningKeyRingOptions } from './tokens/signing-key-ring.js';
export { MAX_TOKEN_LIFETIME_MS, TOKEN_LEEWAY_MS } from './tokens/token-limits.js';
export { TokenRefused } from './tokens/token-refused.js';
export type { TokenRefusal } from './tokens/token-refused.js';
export { createTokenVerifier } from './tokens/verify-token.js';
export type { Revocations, TokenVerifier, TokenVerifierOptions, VerifiedToken } from './tokens/verify-token.js';
export { VerifyingKeys } from './tokens/verifying-keys.js';
export type { Administration, PasswordAdministration } from './administration/administration.js';
export { createAccount } from './administration/create-account.js';
export type { NewAccount } from './administration/create-account.js';
export { disableAccount } from './administration/disable-account.js';
export { enableAccount } from './administration/enable-account.js';
export { ensureAdministrator, ensureSystemNamespaces } from './administration/ensure-system.js';
export type { EnsuredAdministrator } from './administration/ensure-system.js';
export { putGrant, revokeGrant } from './administration/grants.js';
export type { GrantTarget } from './administration/grants.js';
export { importHtpasswd } from './administration/import-htpasswd.js';
export type { HtpasswdImport } from './administration/import-htpasswd.js';
export { createOrganisation, putOrganisationMember, removeOrganisationMember } from './administration/organisations.js';
export type { Membership, NewOrganisation } from './administration/organisations.js';
export { createRepository, deleteRepository, setVisibility } from './administration/repositories.js';
export { purgeRepository, restoreRepository } from './administration/restore-repository.js';
export type { RepositoryRestoration } from './administration/restore-repository.js';
export type { NewRepository } from './administration/repositories.js';
export { resetPassword } from './administration/reset-password.js';
export { addTeamMember, createTeam, removeTeamMember } from './administration/teams.js';
export type { TeamName } from './administration/teams.js';
export type {
  AccessDirectory,
  AccountEntry,
  DeletedRepositoryEntry,
  DirectoryPage,
  GrantEntry,
  MemberEntry,
  OrganisationEntry,
  RepositoryEntry,
  TeamEntry,
} from './ports/access-directory.js';
export type {
  AccessTransaction,
  AccessUnitOfWork,
  AccountRecord,
  Accounts,
  Actor,
  AdministeredRepositories,
  AuditEvent,
  DeletedKey,
  DeletedRepositoryRecord,
  Grantee,
  GrantedResource,
  GrantKey,
  Grants,
  MemberRole,
  NamespaceRecord,
  Namespaces,
  OrganisationMembers,
  RepositoryRecord,
  TeamRecord,
  Teams,
} from './ports/administration.js';
