import { spawnSync } from 'node:child_process';
import { createHmac, createPublicKey, generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { beforeAll, describe, expect, inject, it } from 'vitest';
import { rotateSigningKey } from '@entrepot/access';
import { ringSealer, Secret } from '@entrepot/runtime';
import { jsonOf, type Answer } from '../wire/http.js';
import { sendRaw } from '../wire/raw.js';
import { withOwner, withSigningKeys } from '../world/administer.js';
import { es256, openToken, readProductKey, sealToken, type OpenToken, type Sign } from '../world/forge.js';
import { alice, anonymous, basicOf, bearer, send, tokenPath, type TokenAnswer } from '../world/person.js';
import { fillRepositories } from '../world/product.js';
import { PLANTED } from '../world/settings.js';
import { until } from '../world/until.js';

const MANIFEST_PATH = '/v2/acme/app/manifests/1';
const NONE: Sign = () => '';

let good: OpenToken;
let productKey: KeyObject;
let publicPem: string;

/** What the data plane says to a token. Rejects where a refusal has another reason than the token. */
async function present(token: string): Promise<number> {
  const { status, headers } = await send({ path: MANIFEST_PATH, headers: bearer(token) });
  const challenge = headers['www-authenticate'] ?? '';
  if (status === 401 && !challenge.includes('error="invalid_token"')) throw new Error(`refused with ${challenge}`);
  return status;
}

/** A raw request for a manifest. */
function rawManifest(headers: string, query = ''): string {
  return `GET ${MANIFEST_PATH}${query} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n${headers}\r\n`;
}

/** The good token with parts changed, signed by the product's own key unless told otherwise. */
function forge(change: { header?: object; payload?: object }, signWith: Sign = es256(productKey)): string {
  const { header, payload } = good;
  return sealToken({ header: { ...header, ...change.header }, payload: { ...payload, ...change.payload } }, signWith);
}

function nowSeconds(): number {
  return Math.floor(Date.now() / 1000);
}

/** Times of a token that was made `ageSeconds` ago. */
function times(ageSeconds: number, lifetimeSeconds = 300): { iat: number; nbf: number; exp: number } {
  const iat = nowSeconds() - ageSeconds;
  return { iat, nbf: iat - 10, exp: iat + lifetimeSeconds };
}

describe('B: tokens', () => {
  beforeAll(async () => {
    await fillRepositories();
    good = openToken(await alice.token('repository:acme/app:pull'));
    productKey = await readProductKey(String(good.header['kid']));
    publicPem = createPublicKey(productKey).export({ type: 'spki', format: 'pem' }).toString();
  });

  it('the forge makes tokens that are accepted when nothing is changed', async () => {
    expect(await present(forge({}))).toBe(200);
  });

  it.each(['none', 'None', 'NONE', 'nOnE', ''])('B-01: a token with alg "%s" is refused', async (alg) => {
    const { kid: _kid, ...header } = good.header;
    const signed = forge({}).split('.')[2] ?? '';
    const tokens = [
      forge({ header: { alg } }, NONE),
      forge({ header: { alg } }, () => signed),
      sealToken({ header: { ...header, alg }, payload: good.payload }, NONE),
    ];
    for (const token of tokens) expect(await present(token)).toBe(401);
  });

  it('B-02: the algorithm follows from the trusted key', async () => {
    const publicKey = createPublicKey(productKey);
    const secrets = [
      publicPem,
      publicPem.trim(),
      publicKey.export({ type: 'spki', format: 'der' }),
      JSON.stringify(publicKey.export({ format: 'jwk' })),
      '',
    ];
    const macs = secrets.map(
      (secret): Sign =>
        (text) =>
          createHmac('sha256', secret).update(text).digest('base64url'),
    );
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey;
    const rs256: Sign = (text) => sign('sha256', Buffer.from(text), rsa).toString('base64url');
    const der: Sign = (text) => sign('sha256', Buffer.from(text), productKey).toString('base64url');
    const p384 = es256(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey);
    for (const mac of macs) expect(await present(forge({ header: { alg: 'HS256' } }, mac))).toBe(401);
    for (const alg of ['RS256', 'PS256', 'ES256']) expect(await present(forge({ header: { alg } }, rs256))).toBe(401);
    for (const alg of ['ES384', 'ES256']) expect(await present(forge({ header: { alg } }, p384))).toBe(401);
    expect(await present(forge({}, der))).toBe(401);
    for (const alg of ['es256', 'ES256K', 'EdDSA', ['ES256'], 5, null]) {
      expect(await present(forge({ header: { alg } }))).toBe(401);
    }
  });

  it('B-03: a key that the token brings or points at is never used, nor fetched', async () => {
    let hits = 0;
    const canary = createServer((_request, response) => {
      hits += 1;
      response.end('{"keys":[]}');
    }).listen(0, '127.0.0.1');
    await once(canary, 'listening');
    const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const url = `http://127.0.0.1:${(canary.address() as AddressInfo).port}/keys`;
    const jwk = { ...publicKey.export({ format: 'jwk' }), kid: good.header['kid'] };
    const der = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
    const headers = [
      { jwk },
      { jku: url },
      { x5u: url },
      { x5c: [der] },
      { jku: url, kid: 'other' },
      { crit: ['exp'] },
    ];
    for (const header of headers) {
      expect(await present(forge({ header }, es256(privateKey)))).toBe(401);
      expect(await present(forge({ header }))).toBe(401);
    }
    canary.close();
    expect(hits).toBe(0);
  });

  it('B-03: a key id is looked up and nothing else', async () => {
    const kids = ['../../dev/null', "' OR 1=1 --", '', ' ', '__proto__', 'constructor', 'k'.repeat(8000), null, 7, {}];
    for (const kid of kids) expect(await present(forge({ header: { kid } }))).toBe(401);
    const { kid: _kid, ...header } = good.header;
    expect(await present(sealToken({ header, payload: good.payload }, es256(productKey)))).toBe(401);
  });

  it('B-04: another issuer or audience is refused, and so is a list of audiences', async () => {
    const changes = [
      { iss: 'other' },
      { iss: undefined },
      { iss: ['entrepot'] },
      { aud: 'notary' },
      { aud: undefined },
      { aud: '' },
      { aud: ['entrepot'] },
      { aud: ['entrepot', 'notary'] },
    ];
    for (const payload of changes) expect(await present(forge({ payload }))).toBe(401);
  });

  it('B-05: each kind of token opens its own door only', async () => {
    const path = tokenPath([], { offline_token: 'true', client_id: 'attacks' });
    const { token, refresh_token: refresh = '' } = jsonOf<TokenAnswer>(
      await send({ path, headers: { Authorization: alice.basic } }),
    );
    expect(await present(refresh)).toBe(401);
    const ent = { ...(good.payload['ent'] as object), t: 'refresh' };
    expect(await present(forge({ payload: { ent } }))).toBe(401);
    expect(await present(forge({ payload: { ent: undefined } }))).toBe(401);
    expect(await present(forge({ header: { typ: 'at+jwt' } }))).toBe(401);
    const elsewhere = [
      { path: tokenPath([]), headers: bearer(token) },
      { path: tokenPath([]), headers: { Authorization: basicOf('alice', token) } },
      { path: tokenPath([]), headers: { Authorization: basicOf('alice', refresh) } },
    ];
    for (const ask of elsewhere) expect((await send(ask)).status).toBe(401);
    const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
    const fields = { grant_type: 'refresh_token', refresh_token: token, client_id: 'attacks', service: 'entrepot' };
    const body = new URLSearchParams(fields).toString();
    expect((await send({ method: 'POST', path: '/auth/token', headers, body })).status).toBe(401);
  });

  it('B-07: times count, with a minute of leeway, and so does the longest life', async () => {
    const accepted = [times(0), times(300), times(355), times(-50)];
    for (const payload of accepted) expect(await present(forge({ payload }))).toBe(200);
    const refused = [
      times(370),
      { ...times(0), nbf: nowSeconds() + 70 },
      times(-75),
      times(0, 3700),
      { ...times(0), exp: 253_402_300_799 },
      { ...times(0), exp: undefined },
      { ...times(0), iat: undefined },
      { ...times(0), nbf: undefined },
      { ...times(0), exp: String(times(0).exp) },
      { ...times(0), iat: String(times(0).iat) },
      { ...times(0), exp: 1e300 },
      { ...times(0), exp: null },
      { ...times(0), exp: times(0).iat - 1 },
    ];
    for (const payload of refused) expect(await present(forge({ payload }))).toBe(401);
  });

  it('B-07: claims of other types than they have are refused and no fault', async () => {
    const values = [null, true, 'x', [], {}, [[]], [null], { length: 1 }];
    for (const claim of Object.keys(good.payload)) {
      for (const value of values) {
        if (JSON.stringify(value) === JSON.stringify(good.payload[claim])) continue;
        const headers = bearer(forge({ payload: { [claim]: value } }));
        const { status } = await send({ path: MANIFEST_PATH, headers });
        // The name and id of a token are for people; nothing is decided by them.
        const isOfNoWeight = ['sub', 'jti'].includes(claim) && typeof value === 'string';
        expect([claim, value, status]).toEqual([claim, value, isOfNoWeight ? 200 : 401]);
      }
    }
  });

  it('B-10: there is no private key in the sources, nor in the published key set', async () => {
    const stored = String.raw`BEGIN ([A-Z]+ )?PRIVATE KEY|"d" ?: ?"[A-Za-z0-9_-]{40}`;
    const cwd = new URL('../../../../', import.meta.url);
    const { stdout } = spawnSync('git', ['grep', '-lE', stored], { cwd, encoding: 'utf8' });
    // What searches for keys looks like one.
    const holders = stdout
      .split('\n')
      .filter((path) => path !== '' && path !== 'test/attacks/src/groups/b-tokens.spec.ts');
    expect(holders).toEqual([]);
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    expect(await present(forge({}, es256(privateKey)))).toBe(401);
    const { keys } = jsonOf<{ keys: Record<string, string>[] }>(await send({ path: '/auth/jwks' }));
    for (const key of keys) expect(Object.keys(key).toSorted()).toEqual(['alg', 'crv', 'kid', 'kty', 'use', 'x', 'y']);
  });

  it('B-12: exactly one Authorization header of a sane size is read, and no token from the URL', async () => {
    const { port } = inject('product');
    const token = forge({});
    const twice = [
      `Authorization: Bearer ${token}\r\nAuthorization: Bearer ${token}\r\n`,
      `Authorization: Bearer x\r\nAuthorization: Bearer ${token}\r\n`,
      `Authorization: Bearer ${token}\r\nauthorization: ${alice.basic}\r\n`,
    ];
    for (const headers of twice) expect((await sendRaw(port, rawManifest(headers))).statuses).toEqual([401]);
    for (const name of ['token', 'access_token', 'authorization', 'Authorization']) {
      const query = `?${name}=${encodeURIComponent(token)}`;
      expect((await sendRaw(port, rawManifest('', query))).statuses).toEqual([401]);
    }
    const spellings = [`bearer ${token}`, `BEARER ${token}`, `Bearer   ${token}`, `Bearer ${token}   `];
    for (const value of spellings)
      expect((await send({ path: MANIFEST_PATH, headers: { Authorization: value } })).status).toBe(200);
    const wrong = [
      'Bearer',
      'Bearer ',
      `Bearer ${token} x`,
      `Bearer ${token},${token}`,
      `Token ${token}`,
      token,
      'Basic',
      'Basic %%%',
    ];
    for (const value of wrong)
      expect((await send({ path: MANIFEST_PATH, headers: { Authorization: value } })).status).toBe(401);
  });

  it('B-12: large tokens, encrypted ones and other spellings of a good one are refused', async () => {
    const token = forge({});
    const [header = '', payload = '', signature = ''] = token.split('.');
    const zipped = Buffer.from('{"alg":"dir","enc":"A256GCM","zip":"DEF"}').toString('base64url');
    const wrong = [
      'a'.repeat(20_000),
      `${'a'.repeat(9000)}.${'b'.repeat(9000)}.${signature}`,
      `${zipped}..${'a'.repeat(16)}.${'b'.repeat(4000)}.${'c'.repeat(22)}`,
      `${token}=`,
      `${header}.${payload}=.${signature}`,
      `${header}.${payload}.${signature}.`,
      `.${payload}.${signature}`,
      `${header}..${signature}`,
      `${header}.${payload}.${signature.slice(0, -1)}${signature.endsWith('A') ? 'B' : 'A'}`,
      token.toUpperCase(),
    ];
    for (const text of wrong) expect(await present(text)).toBe(401);
    expect((await send({ path: MANIFEST_PATH, headers: bearer('a'.repeat(65_536)) })).status).toBe(431);
  });

  it('B-13: the subject is who logged in, and anonymous callers get no refresh token', async () => {
    const path = tokenPath([], { account: 'admin', offline_token: 'true' });
    const asAlice = jsonOf<TokenAnswer>(await send({ path, headers: { Authorization: alice.basic } }));
    expect(openToken(asAlice.token).payload['sub']).toBe('alice');
    const answers: Answer[] = [await send({ path }), await send({ path, headers: { Authorization: 'Basic Og==' } })];
    for (const answer of answers) {
      expect(answer.status).toBe(200);
      const asNobody = jsonOf<TokenAnswer>(answer);
      expect(asNobody.refresh_token).toBeUndefined();
      expect(openToken(asNobody.token).payload['sub']).toBe('');
    }
    const wide = openToken(
      await anonymous.token('repository:acme/app:pull', 'registry:catalog:*', 'registry:mount:pull'),
    );
    expect(wide.payload['access']).toEqual([]);
  });

  it('B-14: a refresh token is not used up, serves the clients of one login, and no other service', async () => {
    const path = tokenPath([], { offline_token: 'true', client_id: 'docker' });
    const issued = jsonOf<TokenAnswer>(await send({ path, headers: { Authorization: alice.basic } }));
    const redeem = (clientId: string, more: Record<string, string> = {}): Promise<Answer> => {
      const fields = { grant_type: 'refresh_token', refresh_token: issued.refresh_token ?? '', client_id: clientId };
      const body = new URLSearchParams({ service: 'entrepot', scope: 'repository:acme/app:pull', ...fields, ...more });
      const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
      return send({ method: 'POST', path: '/auth/token', headers, body: body.toString() });
    };
    const both = await Promise.all([redeem('docker'), redeem('docker')]);
    for (const answer of both) expect(await present(jsonOf<TokenAnswer>(answer).access_token)).toBe(200);
    expect((await redeem('skopeo')).status).toBe(200);
    expect((await redeem('docker', { service: 'notary' })).status).toBe(400);
  });

  it('B-15: a storm of unknown key ids is refused and leaves the product alone', async () => {
    const tokens = Array.from({ length: 400 }, (_, index) => forge({ header: { kid: `unknown-${index}` } }));
    const statuses = await Promise.all(tokens.map(present));
    expect(new Set(statuses)).toEqual(new Set([401]));
    expect(await present(forge({}))).toBe(200);
  });

  it('B-15: the old token stays good, a new one is good everywhere, and both keys are published', async () => {
    const sealer = ringSealer([new Secret(PLANTED.secretsKey)]);
    const old = forge({ payload: times(0) });
    const terms = { sealer, nowMs: Date.now(), rotationMs: 3_600_000, isForced: true };
    const { databaseUrl } = inject('product');
    await withSigningKeys(databaseUrl, (keys) => rotateSigningKey(keys, terms));
    // A new key is published for a minute before it signs; that minute is taken as over.
    await withOwner(databaseUrl, (pool) =>
      pool.query('UPDATE signing_key SET signs_from = now() WHERE signs_from > now()'),
    );
    let fresh = '';
    const tookMs = await until(async () => {
      fresh = await alice.token('repository:acme/app:pull');
      return openToken(fresh).header['kid'] !== good.header['kid'];
    }, 15_000);
    console.log(`B-15: a new key signs ${Math.round(tookMs)} ms after it was stored`);
    expect(await present(fresh)).toBe(200);
    expect(await present(old)).toBe(200);
    const { keys } = jsonOf<{ keys: { kid: string }[] }>(await send({ path: '/auth/jwks' }));
    expect(keys.map(({ kid }) => kid)).toEqual(
      expect.arrayContaining([good.header['kid'], openToken(fresh).header['kid']]),
    );
  });
});
