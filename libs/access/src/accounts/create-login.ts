import type { LoginConfig } from '../config.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { AttemptCounter } from '../ports/attempt-counter.js';
import type { Credentials } from '../ports/credentials.js';
import { createAuthenticator } from './authenticate.js';
import type { Authenticate } from './authenticate.js';
import { LoginThrottle } from './login-throttle.js';

export interface LoginParts {
  readonly config: LoginConfig;
  readonly credentials: Credentials;
  readonly accountFailures: AttemptCounter;
  readonly addressFailures: AttemptCounter;
  /** Replace weak hashes by strong ones; only where the process may write them. */
  readonly upgradesHashes: boolean;
}

/** Puts the parts of password logins together by their settings. One per process, so that its bounds hold. */
export function createLogin({ config, credentials, upgradesHashes, ...counters }: LoginParts): Authenticate {
  const passwords = new PasswordHasher({
    concurrency: config.hashConcurrency,
    maxWaiting: config.maxWaiting,
    nowMs: Date.now,
  });
  const throttle = new LoginThrottle({
    ...counters,
    accountLimit: config.accountFailures,
    addressLimit: config.addressFailures,
  });
  return createAuthenticator({ credentials, passwords, throttle, upgradesHashes });
}
