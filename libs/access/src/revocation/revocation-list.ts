import { pollEvery } from '../poll.js';
import type { Polling } from '../poll.js';
import type { AccessChanges, AccessChangeFeed } from '../ports/access-change-feed.js';
import { REVOCATION_WINDOW_MS } from '../tokens/token-limits.js';
import type { Revocations } from '../tokens/verify-token.js';

const NOTHING: AccessChanges = { accounts: new Map(), repositories: new Map() };

/**
 * Who and what lost rights of late, in memory. A token carries the access versions that it was made under; a higher one
 * here ends it. Versions are compared and never clocks, so nothing is refused or let through by skew.
 *
 * Cost: one Map look-up per request, and per process one indexed query per second (its answer is empty but for what
 * changed within the life of a token). A change is in force everywhere within a round of polling, or at once where
 * somebody calls `hurry`. While the database cannot be reached the last known list stays in force; requests that need the
 * database fail on their own.
 */
export class RevocationList implements Revocations {
  #changes = NOTHING;
  #loadedAtMs = Number.NEGATIVE_INFINITY;
  #polling: Polling | undefined;

  constructor(private readonly feed: AccessChangeFeed) {}

  /** Resolves once the list is loaded; keeps it fresh from then on. */
  async start(intervalMs: number, onError: (error: unknown) => void): Promise<void> {
    await this.refresh();
    this.#polling = pollEvery(intervalMs, () => this.refresh(), onError);
  }

  /** Rights may have been taken away just now: asks at once. Nothing but the answer is believed. */
  hurry(): void {
    this.#polling?.hurry();
  }

  async stop(): Promise<void> {
    await this.#polling?.stop();
  }

  async refresh(): Promise<void> {
    const askedAtMs = performance.now();
    this.#changes = await this.feed.loadAccessChanges(REVOCATION_WINDOW_MS);
    this.#loadedAtMs = askedAtMs;
  }

  /** Whether the list is at most this old: an older one may miss what was withdrawn since. */
  isFresh(maxAgeMs: number): boolean {
    return performance.now() - this.#loadedAtMs <= maxAgeMs;
  }

  isAccountCurrent(accountId: string, version: number): boolean {
    return version >= (this.#changes.accounts.get(accountId) ?? 0);
  }

  isRepositoryCurrent(repositoryId: string, version: number): boolean {
    return version >= (this.#changes.repositories.get(repositoryId) ?? 0);
  }
}
