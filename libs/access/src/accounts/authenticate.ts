import { AccessError } from '../errors.js';
import type { PasswordHasher } from '../passwords/password-hasher.js';
import { isUsablePassword } from '../passwords/password-rules.js';
import type { Credentials, LoginRecord } from '../ports/credentials.js';
import type { LoginThrottle } from './login-throttle.js';
import { isNamespaceName } from './namespace-name.js';

/** An account that has shown who it is. */
export interface Login {
  readonly accountId: string;
  readonly name: string;
  readonly accessVersion: number;
  readonly credentialVersion: number;
}

export interface LoginAttempt {
  readonly name: string;
  readonly password: string;
  /** The client's address (for IPv6 its /64). */
  readonly address: string;
}

export interface AuthenticatorOptions {
  readonly credentials: Credentials;
  readonly passwords: PasswordHasher;
  readonly throttle: LoginThrottle;
  /** Replace weak hashes by strong ones; only where the process may write them. */
  readonly upgradesHashes: boolean;
}

/**
 * Resolves with the account where name and password are right. Missing, disabled and passwordless accounts fail as a
 * wrong password does, in answer and in time.
 * Rejects with AccessError CREDENTIALS_REFUSED, LOGIN_THROTTLED or LOGIN_BUSY.
 */
export type Authenticate = (attempt: LoginAttempt) => Promise<Login>;

export function createAuthenticator(options: AuthenticatorOptions): Authenticate {
  const { credentials, passwords, throttle } = options;
  return async (attempt) => {
    if (!isUsablePassword(attempt.password)) throw refused();
    const [standing, record] = await Promise.all([
      throttle.check(attempt),
      isNamespaceName(attempt.name) ? credentials.findLogin(attempt.name) : undefined,
    ]);
    if (standing.retryAfterMs > 0) throw throttled(standing.retryAfterMs);
    const stored = record?.isDisabled === false ? record.passwordHash : undefined;
    const isMatch = await passwords.matches(stored, attempt.password);
    if (record === undefined || !isMatch) {
      const overLimitMs = await throttle.recordFailure(attempt);
      throw overLimitMs > 0 ? throttled(overLimitMs) : refused();
    }
    if (standing.hasFailures) await throttle.forgive(attempt);
    if (options.upgradesHashes) await upgradeHash(options, record, attempt.password);
    return loginOf(record);
  };
}

/** The part of a record that may travel on. */
export function loginOf({ accountId, name, accessVersion, credentialVersion }: LoginRecord): Login {
  return { accountId, name, accessVersion, credentialVersion };
}

async function upgradeHash(
  { credentials, passwords }: AuthenticatorOptions,
  { accountId, passwordHash }: LoginRecord,
  password: string,
): Promise<void> {
  if (passwordHash === undefined || !passwords.isOutdated(passwordHash)) return;
  await credentials.upgradePasswordHash(accountId, passwordHash, await passwords.hash(password));
}

function refused(): AccessError {
  return new AccessError('CREDENTIALS_REFUSED', 'the user name or the password is wrong');
}

function throttled(retryAfterMs: number): AccessError {
  return new AccessError('LOGIN_THROTTLED', 'too many failed logins; try again later', { retryAfterMs });
}
