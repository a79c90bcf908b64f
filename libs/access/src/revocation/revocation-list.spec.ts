import { describe, expect, it } from 'vitest';
import type { AccessChanges } from '../ports/access-change-feed.js';
import { RevocationList } from './revocation-list.js';

describe('RevocationList', () => {
  it('ends what is older than the version it knows, and nothing else', async () => {
    const changes: AccessChanges = { accounts: new Map([['alice', 3]]), repositories: new Map([['app', 2]]) };
    const list = new RevocationList({ loadAccessChanges: () => Promise.resolve(changes) });
    expect(list.isAccountCurrent('alice', 1)).toBe(true);
    await list.refresh();
    expect([1, 2, 3, 4].map((version) => list.isAccountCurrent('alice', version))).toEqual([false, false, true, true]);
    expect([1, 2].map((version) => list.isRepositoryCurrent('app', version))).toEqual([false, true]);
    expect(list.isAccountCurrent('bob', 1)).toBe(true);
  });

  it('is fresh from its loading on, and not before', async () => {
    const list = new RevocationList({
      loadAccessChanges: () => Promise.resolve({ accounts: new Map(), repositories: new Map() }),
    });
    expect(list.isFresh(60_000)).toBe(false);
    await list.refresh();
    expect(list.isFresh(60_000)).toBe(true);
    expect(list.isFresh(-1)).toBe(false);
  });

  it('stays in force while the store is away, and follows when it is back', async () => {
    let changes: AccessChanges | undefined = { accounts: new Map([['alice', 2]]), repositories: new Map() };
    const errors: unknown[] = [];
    const list = new RevocationList({
      loadAccessChanges: () => (changes ? Promise.resolve(changes) : Promise.reject(new Error('away'))),
    });
    await list.start(1, (error) => errors.push(error));
    changes = undefined;
    await expect.poll(() => errors.length, { interval: 2 }).toBeGreaterThan(0);
    expect(list.isAccountCurrent('alice', 1)).toBe(false);
    changes = { accounts: new Map([['bob', 5]]), repositories: new Map() };
    await expect.poll(() => list.isAccountCurrent('bob', 4), { interval: 2 }).toBe(false);
    await list.stop();
  });

  it('asks at once where it is told to hurry', async () => {
    let changes: AccessChanges = { accounts: new Map(), repositories: new Map() };
    const list = new RevocationList({ loadAccessChanges: () => Promise.resolve(changes) });
    list.hurry();
    await list.start(3_600_000, () => {});
    changes = { accounts: new Map([['alice', 2]]), repositories: new Map() };
    list.hurry();
    await expect.poll(() => list.isAccountCurrent('alice', 1), { interval: 2 }).toBe(false);
    await list.stop();
  });
});
