import { createHash } from 'node:crypto';
import type { AttemptCount, AttemptCounter } from '../ports/attempt-counter.js';

export interface LoginThrottleOptions {
  /** Failures by account and address. */
  readonly accountFailures: AttemptCounter;
  /** Failures by address. */
  readonly addressFailures: AttemptCounter;
  readonly accountLimit: number;
  readonly addressLimit: number;
}

/** Where a login comes from: the name that was given and the client's address (for IPv6 its /64). */
export interface LoginOrigin {
  readonly name: string;
  readonly address: string;
}

export interface LoginStanding {
  /** The origin must wait so long; 0 where it need not. */
  readonly retryAfterMs: number;
  /** Failures of this account at this address are counted. */
  readonly hasFailures: boolean;
}

/**
 * Counts failed logins, by account and address and by address alone: whoever guesses is stopped, and cannot stop the
 * owner, who comes from another address. Only failures count. Logins that are under way at once are counted when they
 * end, so a burst may try as many passwords more as the hasher lets wait.
 */
export class LoginThrottle {
  constructor(private readonly options: LoginThrottleOptions) {}

  /** Asked before a login is looked at. */
  async check(origin: LoginOrigin): Promise<LoginStanding> {
    const { accountFailures, addressFailures, accountLimit, addressLimit } = this.options;
    const [byAccount, byAddress] = await Promise.all([
      accountFailures.peek(accountKey(origin)),
      addressFailures.peek(addressKey(origin)),
    ]);
    return {
      retryAfterMs: Math.max(waitOf(byAccount, accountLimit), waitOf(byAddress, addressLimit)),
      hasFailures: byAccount.count > 0,
    };
  }

  /** Counts a failure; resolves with the wait of an origin that is over its limit by it, else 0. */
  async recordFailure(origin: LoginOrigin): Promise<number> {
    const { accountFailures, addressFailures, accountLimit, addressLimit } = this.options;
    const [byAccount, byAddress] = await Promise.all([
      accountFailures.add(accountKey(origin)),
      addressFailures.add(addressKey(origin)),
    ]);
    return Math.max(waitOf(byAccount, accountLimit + 1), waitOf(byAddress, addressLimit + 1));
  }

  /** Forgives the account's failures at this address; those of the address stay. */
  async forgive(origin: LoginOrigin): Promise<void> {
    await this.options.accountFailures.clear(accountKey(origin));
  }
}

function waitOf(attempts: AttemptCount, limit: number): number {
  return attempts.count >= limit ? Math.max(attempts.resetsInMs, 1) : 0;
}

/** Hashed: people type passwords where names belong, and these keys are stored. */
function accountKey({ name, address }: LoginOrigin): string {
  return createHash('sha256').update(`${address}\0${name}`).digest('base64url');
}

function addressKey({ address }: LoginOrigin): string {
  return createHash('sha256').update(address).digest('base64url');
}
