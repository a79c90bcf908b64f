import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { PublishedKey } from '../ports/signing-keys.js';
import { keyFingerprint } from './key-fingerprint.js';
import { VerifyingKeys } from './verifying-keys.js';

function publish(): PublishedKey {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const kid = keyFingerprint(publicKey);
  const { x = '', y = '' } = publicKey.export({ format: 'jwk' });
  const publicJwk = { kty: 'EC', crv: 'P-256', x, y, kid, use: 'sig', alg: 'ES256' } as const;
  return { kid, publicJwk, signsFromMs: 0, verifiesUntilMs: undefined };
}

describe('VerifyingKeys', () => {
  it('loads once for a storm of unknown key ids, and again after a while (B-15)', async () => {
    let nowMs = 1_000_000;
    let loads = 0;
    const stored = [publish()];
    const listPublished = (): Promise<PublishedKey[]> => {
      loads += 1;
      return Promise.resolve([...stored]);
    };
    const keys = new VerifyingKeys({ listPublished }, () => nowMs);
    await keys.refresh();
    expect([...keys.current().keys()]).toEqual(stored.map(({ kid }) => kid));

    expect(await keys.refreshForUnknownKid()).toBe(false);
    stored.push(publish());
    nowMs += 1_000;
    const storm = await Promise.all(Array.from({ length: 1_000 }, () => keys.refreshForUnknownKid()));
    expect(storm).not.toContain(false);
    expect(loads).toBe(2);
    expect(keys.current().size).toBe(2);
    expect(await keys.refreshForUnknownKid()).toBe(false);
  });

  it('keeps what it has while the store is away, and says of no key that it is unknown', async () => {
    let isAway = false;
    let loads = 0;
    const [key, successor] = [publish(), publish()];
    const away = new Error('away');
    const listPublished = (): Promise<PublishedKey[]> => {
      loads += 1;
      return isAway ? Promise.reject(away) : Promise.resolve(loads === 1 ? [key] : [key, successor]);
    };
    let nowMs = 0;
    const keys = new VerifyingKeys({ listPublished }, () => nowMs);
    await keys.refresh();
    isAway = true;
    nowMs = 5_000;
    await expect(keys.refreshForUnknownKid()).rejects.toBe(away);
    // A storm does not load again, and is not told otherwise.
    await expect(keys.refreshForUnknownKid()).rejects.toBe(away);
    expect(loads).toBe(2);
    expect([...keys.current().keys()]).toEqual([key.kid]);

    isAway = false;
    nowMs += 1_000;
    expect(await keys.refreshForUnknownKid()).toBe(true);
    expect(keys.current().has(successor.kid)).toBe(true);
  });
});
