import { createPublicKey } from 'node:crypto';
import { beforeAll, beforeEach, expect, it } from 'vitest';
import type { Sealer } from '../ports/sealer.js';
import type { SigningKeys } from '../ports/signing-keys.js';
import { mintToken } from './mint-token.js';
import type { TokenOrder } from './mint-token.js';
import { KEY_PUBLISH_MARGIN_MS, rotateSigningKey } from './rotate-signing-key.js';
import { SigningKeyRing } from './signing-key-ring.js';
import { MAX_TOKEN_LIFETIME_MS } from './token-limits.js';
import { createTokenVerifier } from './verify-token.js';
import { VerifyingKeys } from './verifying-keys.js';

const DAY_MS = 86_400_000;
const rotationMs = 30 * DAY_MS;

/** Turned around, so that a sealed key is not the key; bound to its purpose and to one of the secrets, the first of which seals. */
function sealerOf(...secrets: readonly string[]): Sealer {
  return {
    seal: (plaintext, purpose) => JSON.stringify([secrets[0], purpose, [...plaintext].toReversed().join('')]),
    open(sealed, purpose) {
      const [secret, boundTo, turned] = JSON.parse(sealed) as [string, string, string];
      if (!secrets.includes(secret) || boundTo !== purpose) throw new Error('sealed for another purpose');
      return [...turned].toReversed().join('');
    },
    isCurrent: (sealed) => (JSON.parse(sealed) as string[])[0] === secrets[0],
  };
}

const sealer = sealerOf('secret');

/** Signing keys and their rotation, on a store that the suite has to itself; `open` empties it. */
export function signingKeysSuite(open: () => Promise<SigningKeys>): void {
  let store: SigningKeys;
  let nowMs: number;

  beforeAll(() => {
    nowMs = Date.now();
  });
  beforeEach(async () => {
    store = await open();
    nowMs = Date.now();
  });

  const now = (): number => nowMs;
  const ring = (): SigningKeyRing => new SigningKeyRing({ store, sealer, rotationMs, nowMs: now });

  function orderAt(): TokenOrder {
    return {
      issuer: 'entrepot',
      audience: 'entrepot',
      bearer: { accountId: undefined, accountName: '', accountVersion: 0 },
      access: { repositories: new Map(), catalog: false, mount: false },
      nowMs,
      lifetimeMs: 300_000,
    };
  }

  function dataPlane() {
    const keys = new VerifyingKeys(store, now);
    const revocations = { isAccountCurrent: () => true, isRepositoryCurrent: () => true };
    const { verify } = createTokenVerifier({
      issuer: 'entrepot',
      audience: 'entrepot',
      keys: () => keys.current(),
      onUnknownKid: () => keys.refreshForUnknownKid(),
      revocations,
      nowMs: now,
    });
    return { keys, verify };
  }

  it('makes one first key for many issuers that start at once', async () => {
    const rings = Array.from({ length: 4 }, ring);
    await Promise.all(rings.map((each) => each.refresh()));
    const kids = new Set(rings.map((each) => each.current().kid));
    expect(kids.size).toBe(1);
    expect(await store.listPublished()).toHaveLength(1);
  });

  it('publishes public halves and keeps private ones sealed', async () => {
    const issuer = ring();
    await issuer.refresh();
    const [jwk] = issuer.published();
    expect(jwk).toMatchObject({ kty: 'EC', crv: 'P-256', use: 'sig', alg: 'ES256', kid: issuer.current().kid });
    expect(jwk).not.toHaveProperty('d');
    const [sealed] = await store.listSealed();
    expect(sealed?.sealedPrivate).not.toContain('PRIVATE KEY');
    const { x = '', y = '' } = createPublicKey(issuer.current().privateKey).export({ format: 'jwk' });
    expect(jwk).toMatchObject({ x, y });
  });

  it('is the same key for the next process', async () => {
    const [first, second] = [ring(), ring()];
    await first.refresh();
    await second.refresh();
    expect(second.current().kid).toBe(first.current().kid);
  });

  it('refuses keys that another secret sealed, and says what to do', async () => {
    await ring().refresh();
    const foreign = new SigningKeyRing({ store, sealer: sealerOf('another'), rotationMs, nowMs: now });
    await expect(foreign.refresh()).rejects.toMatchObject({ code: 'KEY_UNREADABLE' });
    await expect(foreign.refresh()).rejects.toThrow('ENTREPOT_SECRETS_KEY');
  });

  it('seals anew what a former secret sealed, so that it can be dropped', async () => {
    const rings = [['old'], ['old', 'new'], ['new', 'old'], ['new']].map(
      (secrets) => new SigningKeyRing({ store, sealer: sealerOf(...secrets), rotationMs, nowMs: now }),
    );
    const kids = new Set<string>();
    for (const each of rings) {
      await each.start(() => {});
      await each.stop();
      kids.add(each.current().kid);
    }
    expect(kids.size).toBe(1);
    expect(rings.map((each) => each.current().privateKey.export({ format: 'jwk' }).d)).toEqual(
      Array.from({ length: 4 }, () => rings[0]?.current().privateKey.export({ format: 'jwk' }).d),
    );
  });

  it('rotates by age without an outage (B-15)', async () => {
    const issuer = ring();
    await issuer.refresh();
    const plane = dataPlane();
    await plane.keys.refresh();
    const before = issuer.current().kid;

    nowMs += rotationMs;
    await issuer.refresh();
    expect(issuer.current().kid).toBe(before);
    expect(issuer.published()).toHaveLength(2);
    const oldToken = mintToken(issuer.current(), { ...orderAt(), lifetimeMs: MAX_TOKEN_LIFETIME_MS }).token;
    await plane.verify(oldToken);

    await plane.keys.refresh();
    nowMs += KEY_PUBLISH_MARGIN_MS;
    const after = issuer.current();
    expect(after.kid).not.toBe(before);
    await plane.verify(mintToken(after, orderAt()).token);
    await plane.verify(oldToken);

    nowMs += MAX_TOKEN_LIFETIME_MS - KEY_PUBLISH_MARGIN_MS - 1_000;
    await plane.verify(oldToken);
  });

  it('drops a key when its last token is dead', async () => {
    const issuer = ring();
    await issuer.refresh();
    const first = issuer.current().kid;
    nowMs += rotationMs;
    await issuer.refresh();
    nowMs += rotationMs + KEY_PUBLISH_MARGIN_MS;
    await issuer.refresh();
    const kids = (await store.listSealed()).map(({ kid }) => kid);
    expect(kids).toHaveLength(2);
    expect(kids).not.toContain(first);
  });

  it('rotates on demand, and not twice while a successor waits', async () => {
    const issuer = ring();
    await issuer.refresh();
    const options = { sealer, nowMs, rotationMs, isForced: true };
    const made = await Promise.all([1, 2, 3].map(() => rotateSigningKey(store, options)));
    const published = await store.listPublished();
    const successor = { kid: published[1]?.kid, signsFromMs: nowMs + KEY_PUBLISH_MARGIN_MS };
    expect(made.filter((key) => key !== undefined)).toEqual([successor]);
    expect(published).toHaveLength(2);
    expect(published.map(({ verifiesUntilMs }) => verifiesUntilMs === undefined)).toEqual([false, true]);
  });

  it('lets a data plane that started before the first key find it (B-15)', async () => {
    const plane = dataPlane();
    await plane.keys.refresh();
    const issuer = ring();
    await issuer.refresh();
    const { token } = mintToken(issuer.current(), orderAt());
    nowMs += 1_000;
    expect(await plane.verify(token)).toMatchObject({ accountName: '' });
  });
}
