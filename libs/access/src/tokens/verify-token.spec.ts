import { createHmac, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { keyFingerprint } from './key-fingerprint.js';
import { mintToken } from './mint-token.js';
import type { TokenOrder } from './mint-token.js';
import { TokenRefused } from './token-refused.js';
import { createTokenVerifier } from './verify-token.js';
import type { TokenVerifierOptions } from './verify-token.js';

const NOW_MS = Date.UTC(2026, 10, 21, 12);
const NOW = NOW_MS / 1000;
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const attacker = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const kid = keyFingerprint(publicKey);

const order: TokenOrder = {
  issuer: 'entrepot',
  audience: 'registry.example',
  bearer: { accountId: 'alice-id', accountName: 'alice', accountVersion: 3 },
  access: {
    repositories: new Map([
      [
        'alice/app',
        { actions: new Set(['pull', 'push'] as const), repositoryId: 'app-id', namespaceId: 'alice-id', version: 2 },
      ],
      [
        'alice/new',
        { actions: new Set(['pull'] as const), repositoryId: undefined, namespaceId: 'alice-id', version: 1 },
      ],
    ]),
    catalog: true,
    mount: true,
  },
  nowMs: NOW_MS,
  lifetimeMs: 300_000,
};

function verifier(changes: Partial<TokenVerifierOptions> = {}) {
  return createTokenVerifier({
    issuer: 'entrepot',
    audience: 'registry.example',
    keys: () => new Map([[kid, publicKey]]),
    onUnknownKid: () => Promise.resolve(false),
    revocations: { isAccountCurrent: () => true, isRepositoryCurrent: () => true },
    nowMs: () => NOW_MS,
    ...changes,
  });
}

async function refusalOf(token: string, changes: Partial<TokenVerifierOptions> = {}): Promise<string> {
  try {
    await verifier(changes).verify(token);
    return 'accepted';
  } catch (error) {
    if (error instanceof TokenRefused) return error.reason;
    throw error;
  }
}

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

/** A token of arbitrary header and claims under a key, ours unless another is given. */
function forge(header: object, claims: object, key: KeyObject = privateKey): string {
  const signed = `${encode(header)}.${encode(claims)}`;
  const signature = sign('sha256', Buffer.from(signed), { key, dsaEncoding: 'ieee-p1363' });
  return `${signed}.${signature.toString('base64url')}`;
}

const good = mintToken({ kid, privateKey }, order).token;
const header = { typ: 'JWT', alg: 'ES256', kid };
const claims = JSON.parse(Buffer.from(good.split('.')[1] ?? '', 'base64url').toString()) as Record<string, unknown> & {
  ent: object;
};

describe('a minted token', () => {
  it('has the claims of the token specification, and the bindings', () => {
    expect(JSON.parse(Buffer.from(good.split('.')[0] ?? '', 'base64url').toString())).toEqual(header);
    expect(claims).toMatchObject({
      iss: 'entrepot',
      sub: 'alice',
      aud: 'registry.example',
      exp: NOW + 300,
      nbf: NOW - 10,
      iat: NOW,
      access: [
        { type: 'repository', name: 'alice/app', actions: ['pull', 'push'] },
        { type: 'repository', name: 'alice/new', actions: ['pull'] },
        { type: 'registry', name: 'catalog', actions: ['*'] },
        { type: 'registry', name: 'mount', actions: ['pull'] },
      ],
      ent: {
        t: 'access',
        uid: 'alice-id',
        av: 3,
        acc: [{ id: 'app-id', ns: 'alice-id', v: 2 }, { id: null, ns: 'alice-id', v: 1 }, null, null],
      },
    });
  });

  it('is verified to what it was made of, and remembered', async () => {
    const { verify, recall } = verifier();
    expect(recall(good)).toBeUndefined();
    const verified = await verify(good);
    expect(verified).toEqual({
      ...order.access,
      ...order.bearer,
      notBeforeMs: NOW_MS - 10_000,
      expiresAtMs: NOW_MS + 300_000,
    });
    expect(recall(good)).toBe(verified);
  });

  it('may be anonymous', async () => {
    const bearer = { accountId: undefined, accountName: '', accountVersion: 0 };
    const { token } = mintToken({ kid, privateKey }, { ...order, bearer });
    expect(await verifier().verify(token)).toMatchObject({ accountId: undefined, accountName: '' });
  });

  it('has a new id each time, and never a life out of bounds', () => {
    expect(mintToken({ kid, privateKey }, order).token).not.toBe(good);
    for (const lifetimeMs of [0, 59_999, 3_600_001]) {
      expect(() => mintToken({ kid, privateKey }, { ...order, lifetimeMs })).toThrow(RangeError);
    }
  });
});

describe('refused', () => {
  it.each(['none', 'None', 'NONE', 'HS256', 'PS256', 'RS256', 'ES384', 'EdDSA', ''])(
    'alg %j (B-01, B-02)',
    async (alg) => {
      expect(await refusalOf(forge({ ...header, alg }, claims))).toBe('algorithm');
    },
  );

  it('an empty signature, and one part too few or too many (B-01)', async () => {
    const [first, second, third] = good.split('.');
    for (const token of [`${first}.${second}.`, `${first}.${second}`, `${good}.${third}`, '', '..', 'a.b.c']) {
      expect(await refusalOf(token)).toBe('malformed');
    }
  });

  it('an HMAC with the public key as its secret (B-02)', async () => {
    const secrets = [
      publicKey.export({ type: 'spki', format: 'pem' }),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
    ];
    for (const secret of secrets) {
      for (const alg of ['HS256', 'ES256']) {
        const signed = `${encode({ ...header, alg })}.${encode(claims)}`;
        const mac = createHmac('sha256', secret).update(signed).digest();
        for (const signature of [mac, Buffer.concat([mac, mac])]) {
          expect(await refusalOf(`${signed}.${signature.toString('base64url')}`)).not.toBe('accepted');
        }
      }
    }
  });

  it('a key brought along, even with a trusted kid (B-03)', async () => {
    const jwk = attacker.publicKey.export({ format: 'jwk' });
    for (const extra of [
      { jwk },
      { jku: 'http://127.0.0.1/keys' },
      { x5u: 'http://127.0.0.1/' },
      { x5c: ['AA=='] },
      { crit: ['b64'], b64: false },
    ]) {
      expect(await refusalOf(forge({ ...header, ...extra }, claims, attacker.privateKey))).toBe('malformed');
      expect(await refusalOf(forge({ ...header, ...extra }, claims))).toBe('malformed');
    }
    expect(await refusalOf(forge(header, claims, attacker.privateKey))).toBe('signature');
  });

  it.each([
    ['../../dev/null'],
    ["' OR 1=1 --"],
    ['__proto__'],
    ['constructor'],
    ['A'.repeat(129)],
    [7],
    [null],
    [undefined],
  ])('kid %j (B-03)', async (strange) => {
    expect(await refusalOf(forge({ ...header, kid: strange }, claims))).toBe('unknown-key');
  });

  it.each([
    ['another issuer', { iss: 'evil' }, 'issuer'],
    ['no issuer', { iss: undefined }, 'malformed'],
    ['another audience', { aud: 'notary' }, 'audience'],
    ['no audience', { aud: undefined }, 'malformed'],
    ['a list of audiences with ours', { aud: ['registry.example', 'notary'] }, 'malformed'],
    ['another kind', { ent: { ...claims.ent, t: 'session' } }, 'kind'],
    ['no kind', { ent: undefined }, 'malformed'],
    ['no subject', { sub: undefined }, 'malformed'],
    ['access that is no list', { access: 'everything' }, 'malformed'],
  ])('%s (B-04, B-05)', async (_name, change, reason) => {
    expect(await refusalOf(forge(header, { ...claims, ...change }))).toBe(reason);
  });

  it.each([
    ['exp a minute and a second past', { iat: NOW - 361, exp: NOW - 61 }, 'expired'],
    ['exp 59 s past', { iat: NOW - 359, exp: NOW - 59 }, 'accepted'],
    ['nbf 61 s ahead', { nbf: NOW + 61 }, 'not-yet-valid'],
    ['nbf 59 s ahead', { nbf: NOW + 59 }, 'accepted'],
    ['iat 61 s ahead', { iat: NOW + 61 }, 'not-yet-valid'],
    ['iat 59 s ahead', { iat: NOW + 59 }, 'accepted'],
    ['the year 9999', { exp: 253_370_764_800 }, 'lifetime'],
    ['more than an hour', { exp: NOW + 3601 }, 'lifetime'],
    ['an hour', { exp: NOW + 3600 }, 'accepted'],
    ['an end before the start', { exp: NOW - 1 }, 'lifetime'],
    ['no exp', { exp: undefined }, 'malformed'],
    ['no nbf', { nbf: undefined }, 'malformed'],
    ['no iat', { iat: undefined }, 'malformed'],
    ['numbers as texts', { exp: String(NOW + 300) }, 'malformed'],
    ['fractions', { exp: NOW + 0.5 }, 'malformed'],
    ['null', { iat: null }, 'malformed'],
  ])('%s (B-07)', async (_name, change, reason) => {
    expect(await refusalOf(forge(header, { ...claims, ...change }))).toBe(reason);
  });

  it('more than 16 KiB, before any parsing (B-12)', async () => {
    expect(await refusalOf(`${good}${'A'.repeat(16 * 1024)}`)).toBe('too-large');
  });

  it('payloads that are not JSON objects', async () => {
    for (const payload of ['null', '[]', '7', '"text"', '{', '{"exp":1}x']) {
      const signed = `${encode(header)}.${Buffer.from(payload).toString('base64url')}`;
      const signature = sign('sha256', Buffer.from(signed), { key: privateKey, dsaEncoding: 'ieee-p1363' });
      expect(await refusalOf(`${signed}.${signature.toString('base64url')}`)).toBe('malformed');
    }
    expect(await refusalOf(forge([1] as object, claims))).toBe('algorithm');
  });

  it('any single changed bit', async () => {
    for (let index = good.length - 1; index >= 0; index -= 5) {
      const code = good.charCodeAt(index);
      const changed = good.slice(0, index) + String.fromCharCode(code ^ 1) + good.slice(index + 1);
      expect(await refusalOf(changed)).not.toBe('accepted');
    }
  });
});

describe('what can change after the first look', () => {
  it('is the time', async () => {
    let nowMs = NOW_MS;
    const { verify, recall } = verifier({ nowMs: () => nowMs });
    await verify(good);
    nowMs += 300_000 + 59_999;
    expect(recall(good)).toBeDefined();
    nowMs += 1;
    expect(() => recall(good)).toThrow('expired');
  });

  it('is the account', async () => {
    let current = 3;
    const revocations = {
      isAccountCurrent: (_id: string, version: number) => version >= current,
      isRepositoryCurrent: () => true,
    };
    const { verify, recall } = verifier({ revocations });
    await verify(good);
    current = 4;
    expect(() => recall(good)).toThrow('revoked');
    await expect(verify(good)).rejects.toThrow('revoked');
  });
});

describe('an unknown kid', () => {
  it('is looked for once more, where the keys could be loaded again (B-15)', async () => {
    const keys = new Map<string, KeyObject>();
    const load = (): Promise<boolean> => {
      keys.set(kid, publicKey);
      return Promise.resolve(true);
    };
    expect(await refusalOf(good, { keys: () => keys, onUnknownKid: load })).toBe('accepted');
    expect(await refusalOf(good, { keys: () => new Map(), onUnknownKid: () => Promise.resolve(true) })).toBe(
      'unknown-key',
    );
  });
});
