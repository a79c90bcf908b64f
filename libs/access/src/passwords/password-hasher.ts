import { createHmac, randomBytes } from 'node:crypto';
import { AccessError } from '../errors.js';
import { GenerationCache } from '../generation-cache.js';
import { hashArgon2id, isOutdatedArgon2id, matchesArgon2id, matchNothing } from './argon2id.js';
import { isBcryptHash, matchesBcrypt } from './bcrypt.js';
import { WorkLimit } from './work-limit.js';

const BUSY_RETRY_MS = 1_000;
const REMEMBERED_MATCHES = 10_000;
const REMEMBER_MS = 60_000;

export interface PasswordHasherOptions {
  /** Hashes computed at once; each takes 19 MiB and a thread of Node's pool for about 40 ms. */
  readonly concurrency: number;
  /** Logins that may wait for their turn; more are refused. */
  readonly maxWaiting: number;
  readonly nowMs: () => number;
}

/**
 * Hashes passwords, a few at a time, so that a storm of logins can neither exhaust memory nor starve the disk
 * operations that share Node's thread pool. Throws LOGIN_BUSY beyond that.
 *
 * Matches are remembered for a minute under an HMAC of stored hash and password with a key of this process: clients
 * that send the password with every request pay once, and a new password or hash is another key.
 */
export class PasswordHasher {
  readonly #limit: WorkLimit;
  readonly #key = randomBytes(32);
  readonly #matched = new GenerationCache<string, number>(REMEMBERED_MATCHES);
  readonly #running = new Map<string, Promise<boolean>>();

  constructor(private readonly options: PasswordHasherOptions) {
    this.#limit = new WorkLimit(options);
  }

  hash(password: string): Promise<string> {
    return this.#limit.run(() => hashArgon2id(password), busy);
  }

  /**
   * Does the stored hash belong to the password? Without a stored hash the work is done all the same, and matches
   * nothing: the time tells not whether an account exists.
   */
  async matches(stored: string | undefined, password: string): Promise<boolean> {
    const key = createHmac('sha256', this.#key)
      .update(`${stored ?? ''}\0${password}`)
      .digest('base64');
    if (stored !== undefined && (this.#matched.get(key) ?? 0) > this.options.nowMs()) return true;
    const running = this.#running.get(key) ?? this.#compare(key, stored, password);
    return running;
  }

  /** Made by a weaker scheme than new hashes are. */
  isOutdated(stored: string): boolean {
    return isBcryptHash(stored) || isOutdatedArgon2id(stored);
  }

  /** Equal comparisons that arrive while one is running share it. */
  #compare(key: string, stored: string | undefined, password: string): Promise<boolean> {
    const running = this.#limit
      .run(() => compare(stored, password), busy)
      .then((isMatch) => {
        if (isMatch) this.#matched.set(key, this.options.nowMs() + REMEMBER_MS);
        return isMatch;
      })
      .finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    return running;
  }
}

/** A wrong password for a bcrypt hash costs no less than one for a missing account. */
async function compare(stored: string | undefined, password: string): Promise<boolean> {
  if (stored === undefined) return matchNothing(password);
  if (!isBcryptHash(stored)) return matchesArgon2id(stored, password);
  return (await matchesBcrypt(stored, password)) || matchNothing(password);
}

function busy(): AccessError {
  return new AccessError('LOGIN_BUSY', 'too many logins at once; try again', { retryAfterMs: BUSY_RETRY_MS });
}
