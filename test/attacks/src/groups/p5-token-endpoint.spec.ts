import { beforeAll, describe, expect, it } from 'vitest';
import { codeOf, jsonOf, type Answer } from '../wire/http.js';
import { openToken } from '../world/forge.js';
import {
  acmeReader,
  alice,
  anonymous,
  basicOf,
  bearer,
  carol,
  root,
  send,
  SERVICE,
  tokenPath,
  type TokenAnswer,
} from '../world/person.js';
import { fillRepositories } from '../world/product.js';
import { PLANTED } from '../world/settings.js';

interface Access {
  readonly type: string;
  readonly name: string;
  readonly actions: readonly string[];
}

/** What a token for the scopes opens, as `type:name:actions`. */
async function granted(
  person: { token(...scopes: string[]): Promise<string> },
  ...scopes: string[]
): Promise<string[]> {
  const access = openToken(await person.token(...scopes)).payload['access'] as Access[];
  return access.map(({ type, name, actions }) => `${type}:${name}:${actions.toSorted().join(',')}`);
}

function post(fields: Record<string, string> | [string, string][], headers = {}): Promise<Answer> {
  const form = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams(fields).toString();
  return send({ method: 'POST', path: '/auth/token', headers: { ...form, ...headers }, body });
}

const password = {
  grant_type: 'password',
  username: 'alice',
  password: PLANTED.userPassword,
  service: SERVICE,
  client_id: 'attacks',
};

describe('B-09: the grammar of scopes', () => {
  beforeAll(fillRepositories);

  it('B-09: several scopes, in one parameter or many, are reduced to what is allowed', async () => {
    const own = 'repository:acme/app:pull';
    const foreign = 'repository:globex/secret:pull';
    expect(await granted(alice, `${own} ${foreign}`)).toEqual([own]);
    expect(await granted(alice, own, foreign)).toEqual([own]);
    expect(await granted(alice, own, own, 'repository:acme/app:push')).toEqual(['repository:acme/app:pull,push']);
    expect(await granted(alice, foreign)).toEqual([]);
    expect(await granted(anonymous, own, 'repository:acme/pub:pull,push')).toEqual(['repository:acme/pub:pull']);
  });

  it('B-09: an asterisk asks for what the caller has, and no more', async () => {
    expect(await granted(acmeReader, 'repository:acme/app:*')).toEqual([`repository:acme/app:pull`]);
    expect(await granted(alice, 'repository:acme/app:*')).toEqual(['repository:acme/app:delete,pull,push']);
    expect(await granted(alice, 'repository:globex/secret:*')).toEqual([]);
    expect(await granted(anonymous, 'repository:acme/pub:*')).toEqual(['repository:acme/pub:pull']);
    expect(await granted(root, 'repository:globex/secret:*')).toEqual(['repository:globex/secret:delete,pull,push']);
    expect(await granted(alice, 'registry:catalog:*', 'registry:catalog:search')).toEqual(['registry:catalog:*']);
    expect(await granted(anonymous, 'registry:catalog:*', 'registry:mount:pull')).toEqual([]);
    expect(await granted(alice, '*:*:*', 'repository:*:*', 'registry:*:*', '*', ':', '::', ':::')).toEqual([]);
  });

  it('B-09: unknown actions, types and malformed scopes are left out, and are no error', async () => {
    const scopes = [
      'repository:acme/app:pull,admin,manage,PULL,Push',
      'repository(plugin):acme/app:pull',
      'Repository:acme/app:delete',
      'repository:Acme/App:pull',
      'repository:acme/app/../../globex/secret:pull',
      'repository:globex/secret:pull/../x:pull',
      'repository::pull',
      'repository:acme/app:',
      'repository:acme/app',
      'repository:é:pull',
      'repository:127.0.0.1:5000/acme/app:push',
      'registry:catalog:**',
      'namespace:acme:pull',
      'repository:__proto__:pull',
    ];
    const opened = await granted(alice, ...scopes);
    expect(opened).toEqual(['repository:acme/app:pull']);
  });

  it('B-09: the number and the length of scopes are capped', async () => {
    for (const scopes of [
      Array.from({ length: 1000 }, (_, at) => `repository:a/b${at}:pull`),
      [`repository:${'a'.repeat(5000)}:pull`],
    ]) {
      const answer = await send({ path: tokenPath([scopes.join(' ')]), headers: { Authorization: alice.basic } });
      expect([400, 414]).toContain(answer.status);
      const posted = await post({ ...password, scope: scopes.join(' ') });
      expect(posted.status).toBe(400);
    }
    const parameters = Array.from({ length: 200 }, () => 'scope=repository:a/b:pull').join('&');
    expect([400, 414]).toContain((await send({ path: `/auth/token?${parameters}` })).status);
  });

  it('B-09: another service is refused, whoever asks', async () => {
    for (const query of ['service=other', `service=${SERVICE}&service=other`, 'service=']) {
      expect((await send({ path: `/auth/token?${query}`, headers: { Authorization: alice.basic } })).status).toBe(400);
      expect((await send({ path: `/auth/token?${query}` })).status).toBe(400);
    }
    expect((await post({ ...password, service: 'other' })).status).toBe(400);
  });

  it('P5: one component names a repository of library', async () => {
    expect(await granted(root, 'repository:hello:pull,push')).toEqual(['repository:library/hello:pull,push']);
    expect(await granted(alice, 'repository:hello:pull,push')).toEqual([]);
  });
});

describe('P5: the token endpoint', () => {
  beforeAll(fillRepositories);

  it('answers GET and POST with what clients read', async () => {
    const scope = 'repository:acme/app:pull,push';
    const got = await send({ path: tokenPath([scope], { client_id: 'x' }), headers: { Authorization: alice.basic } });
    const posted = await post({ ...password, scope });
    for (const answer of [got, posted]) {
      const body = jsonOf<TokenAnswer & { issued_at: string }>(answer);
      expect(body.token).toBe(body.access_token);
      expect(body.expires_in).toBe(300);
      expect(Date.parse(body.issued_at)).toBeGreaterThan(Date.now() - 60_000);
      expect(body.refresh_token).toBeUndefined();
      expect(answer.headers['cache-control']).toContain('no-store');
    }
    expect(jsonOf<{ scope: string }>(posted).scope).toBe(scope);
  });

  it('gives a refresh token to accounts that ask for one, at either door, and each opens what its account may', async () => {
    const viaGet = await send({
      path: tokenPath([], { offline_token: 'true', client_id: 'attacks' }),
      headers: { Authorization: alice.basic },
    });
    const viaPost = await post({ ...password, access_type: 'offline' });
    for (const answer of [viaGet, viaPost]) {
      const { refresh_token: refresh = '' } = jsonOf<TokenAnswer>(answer);
      expect(refresh).toMatch(/^entrepot_rt_[\w-]{43}$/);
      const fields = { grant_type: 'refresh_token', refresh_token: refresh, service: SERVICE, client_id: 'attacks' };
      const redeemed = await post({ ...fields, scope: 'repository:acme/app:pull repository:globex/secret:pull' });
      const { token } = jsonOf<TokenAnswer>(redeemed);
      expect(openToken(token).payload['sub']).toBe('alice');
      expect((await send({ path: '/v2/acme/app/manifests/1', headers: bearer(token) })).status).toBe(200);
      expect((await send({ path: '/v2/globex/secret/manifests/1', headers: bearer(token) })).status).toBe(401);
    }
  });

  it('takes malformed forms and credentials for the mistakes of clients that they are', async () => {
    const { grant_type: _grant, ...untyped } = password;
    const wrong: [number, Record<string, string> | [string, string][]][] = [
      [400, untyped],
      [400, { ...password, grant_type: 'authorization_code' }],
      [400, { ...password, grant_type: 'client_credentials' }],
      [400, [...Object.entries(password), ['username', 'admin']]],
      [400, [...Object.entries(password), ['password', 'x']]],
      [400, { grant_type: 'password', service: SERVICE }],
      [401, { ...password, password: '' }],
      [401, { ...password, username: '' }],
      [401, { ...password, username: 'alice\0' }],
      [401, { ...password, username: ' alice' }],
      [401, { ...password, username: 'ALICE' }],
      [401, { ...password, username: 'a'.repeat(5000) }],
      [401, { ...password, username: "alice' OR '1'='1" }],
    ];
    for (const [status, fields] of wrong) expect([fields, (await post(fields)).status]).toEqual([fields, status]);
    expect((await post({ ...password, client_id: 'é\n' })).status).toBe(400);
    for (const value of [
      'Basic',
      'Basic !',
      'Basic YWxpY2U',
      `Basic ${Buffer.from([0xff, 0x3a, 0xfe]).toString('base64')}`,
      'Digest x',
    ]) {
      const answer = await send({ path: tokenPath([]), headers: { Authorization: value }, localAddress: '127.0.4.1' });
      expect([value, answer.status]).toEqual([value, 401]);
    }
    for (const method of ['PUT', 'DELETE', 'PATCH', 'OPTIONS']) {
      const answer = await send({ method, path: '/auth/token' });
      expect([answer.status, answer.headers.allow]).toEqual([405, 'GET, POST']);
    }
  });

  it('says the same of a wrong password as OAuth and as a registry do', async () => {
    const answer = await post({ ...password, password: 'wrong' });
    expect([answer.status, codeOf(answer), jsonOf<{ error: string }>(answer).error]).toEqual([
      401,
      'UNAUTHORIZED',
      'invalid_grant',
    ]);
    const basic = basicOf('alice', 'wrong');
    const got = await send({ path: tokenPath([]), headers: { Authorization: basic }, localAddress: '127.0.4.2' });
    expect(got.headers['www-authenticate']).toMatch(/^Basic realm=/);
  });

  it('C-04: only administrators create in library', async () => {
    expect((await root.ask({ method: 'POST', path: '/v2/hello/blobs/uploads/' })).status).toBe(202);
    expect((await carol.ask({ method: 'POST', path: '/v2/hello/blobs/uploads/' })).status).toBe(401);
    expect((await carol.ask({ method: 'POST', path: '/v2/library/hello/blobs/uploads/' })).status).toBe(401);
  });
});
