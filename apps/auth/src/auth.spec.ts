import { once } from 'node:events';
import { request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import {
  createAccount,
  createTokenVerifier,
  PasswordHasher,
  putGrant,
  resetPassword,
  VerifyingKeys,
} from '@entrepot/access';
import type { PasswordAdministration } from '@entrepot/access';
import { createPool, migrate, PostgresAccessUnitOfWork, PostgresPublicKeys, withDataSource } from '@entrepot/metadata';
import { createBells, createListener, createLogger, createMetrics, loadConfig } from '@entrepot/runtime';
import type { Listener, RunningService } from '@entrepot/runtime';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import { assert, asyncProperty, constantFrom, oneof, string } from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { authSections, startAuth } from './start-auth.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });
const environment = {
  ENTREPOT_HTTP_PORT: '0',
  ENTREPOT_HTTP_SECRET: 'qN3vX8zL1mB6cR0yT5wK9eJ2hG7fD4sA',
  ENTREPOT_SECRETS_KEY: 'Zk4rT9uW2xB7nQ5mC8vL1pS6dF3gH0jY',
  ENTREPOT_HTTP_TRUSTED_PROXIES: '127.0.0.1',
  ENTREPOT_LOGIN_ACCOUNT_FAILURES: '3',
  ENTREPOT_LOGIN_MAX_WAITING: '1000',
};

let listener: Listener;
let service: RunningService;
let origin: string;
const lines: string[] = [];

function ownerSettings() {
  return { url: database.url, role: 'owner', poolSize: 2, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 } as const;
}

function administer<T>(work: (administration: PasswordAdministration) => Promise<T>): Promise<T> {
  const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 10, nowMs: Date.now });
  const actor = { id: undefined, name: 'spec' };
  return withDataSource(ownerSettings(), (source) =>
    work({ store: new PostgresAccessUnitOfWork(source), actor, passwords }),
  );
}

beforeAll(async () => {
  const config = loadConfig(authSections, { environment });
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'debug', format: 'json' }, { service: 'auth', destination });
  const metrics = createMetrics();
  const alone = { redis: undefined, bells: createBells(undefined) };
  service = await startAuth(config, {
    databaseUrl: database.url,
    dataDirectory: '/nowhere',
    logger,
    metrics,
    ...alone,
  });
  listener = createListener({ config: config.http, logger, metrics });
  for (const { prefix, handler, options } of service.mounts) listener.mount(prefix, handler, options);
  ({ origin } = await listener.listen());
  await administer(async (administration) => {
    await createAccount(administration, { name: 'alice', password: 'secret', isAdmin: false });
    await createAccount(administration, { name: 'root', password: 'toor', isAdmin: true });
  });
});

afterAll(async () => {
  await listener.drain(0);
  await service.close();
});

const basic = (name: string, password: string): string =>
  `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`;
const asAlice = basic('alice', 'secret');

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  readonly body: Record<string, unknown>;
}

/** Each caller has an address of its own unless it gives one: failures of one test do not stop another. */
let callers = 0;

async function send(path: string, init: RequestInit = {}): Promise<Answer> {
  callers += 1;
  const headers = new Headers(init.headers);
  if (!headers.has('x-forwarded-for')) headers.set('x-forwarded-for', `10.${callers >> 8}.${callers & 255}.1`);
  const response = await fetch(origin + path, { ...init, headers });
  const text = await response.text();
  return { status: response.status, headers: response.headers, body: text === '' ? {} : JSON.parse(text) };
}

function get(query = '', authorization?: string): Promise<Answer> {
  return send(`/auth/token${query}`, authorization === undefined ? {} : { headers: { authorization } });
}

function post(form: Readonly<Record<string, string>>, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return send('/auth/token', { method: 'POST', body: new URLSearchParams(form), headers });
}

function claimsOf({ body }: Answer): Record<string, unknown> {
  const payload = String(body['token']).split('.')[1] ?? '';
  return JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>;
}

describe('GET /auth/token', () => {
  it.each([
    ['no credentials', undefined],
    ['empty credentials', 'Basic Og=='],
  ])('is anonymous with %s', async (_name, authorization) => {
    const answer = await get('?service=entrepot&scope=repository:alice/app:pull,push', authorization);
    expect(answer.status).toBe(200);
    expect(answer.body).toEqual({
      token: expect.any(String),
      access_token: answer.body['token'],
      token_type: 'Bearer',
      expires_in: 300,
      issued_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    });
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(claimsOf(answer)).toMatchObject({ iss: 'entrepot', aud: 'entrepot', sub: '', access: [] });
  });

  it('gives an account what it may do, and an empty grant without complaint', async () => {
    const mine = await get(
      '?scope=repository:alice/app:pull,push&scope=repository:root/x:pull%20registry:catalog:*',
      asAlice,
    );
    expect(claimsOf(mine)['access']).toEqual([
      { type: 'repository', name: 'alice/app', actions: ['pull', 'push'] },
      { type: 'registry', name: 'catalog', actions: ['*'] },
    ]);
    expect(claimsOf(await get('?scope=repository:root/x:pull', asAlice))).toMatchObject({ sub: 'alice', access: [] });
  });

  it('answers a docker login: an account, no scope, an identity token on request', async () => {
    const answer = await get('?account=alice&client_id=docker&offline_token=true&service=entrepot', asAlice);
    expect(answer.body).toMatchObject({
      token: expect.any(String),
      refresh_token: expect.stringMatching(/^entrepot_rt_/),
    });
    expect((await get('?account=alice&client_id=docker&service=entrepot', asAlice)).body).not.toHaveProperty(
      'refresh_token',
    );
  });

  it('takes the subject from the credentials and never from the query; anonymous gets no refresh token (B-13)', async () => {
    expect(claimsOf(await get('?account=root', asAlice))['sub']).toBe('alice');
    const anonymous = await get('?account=root&offline_token=true');
    expect(claimsOf(anonymous)['sub']).toBe('');
    expect(anonymous.body).not.toHaveProperty('refresh_token');
  });

  it('answers a wrong password and a missing account alike (A-02)', async () => {
    const wrong = await get('', basic('alice', 'wrong'));
    const missing = await get('', basic('nobody', 'wrong'));
    expect(wrong.status).toBe(401);
    expect(wrong.body).toEqual({ errors: [{ code: 'UNAUTHORIZED', message: expect.any(String) }] });
    expect(wrong.headers.get('www-authenticate')).toBe('Basic realm="entrepot", charset="UTF-8"');
    expect([missing.status, missing.body]).toEqual([wrong.status, wrong.body]);
  });

  it.each([
    ['a bearer token', 'Bearer abc'],
    ['another scheme', 'Digest x'],
    ['broken Basic', 'Basic !'],
    ['an empty password', basic('alice', '')],
    ['a NUL in the password', basic('alice', 'secret\0')],
    ['a long password', basic('alice', 'x'.repeat(1500))],
  ])('refuses %s (A-03, A-07, B-05)', async (_name, authorization) => {
    expect((await get('', authorization)).status).toBe(401);
  });

  it('refuses another service, and more scopes than any push needs (B-04, B-09)', async () => {
    for (const query of [
      '?service=other',
      '?service=entrepot&service=other',
      `?scope=${Array.from({ length: 1000 }, (_, index) => `repository:a/b${index}:pull`).join('%20')}`,
      `?scope=repository:a/${'b'.repeat(5000)}:pull`,
      `?client_id=${'x'.repeat(300)}`,
      '?scope=%00',
      '?scope=%ff',
    ]) {
      expect([query.slice(0, 20), (await get(query, asAlice)).status]).toEqual([query.slice(0, 20), 400]);
    }
  });

  it('looks for no credentials in the query (B-12)', async () => {
    const { body } = await get('?offline_token=true&client_id=docker', asAlice);
    const answer = await get(
      `?grant_type=refresh_token&client_id=docker&refresh_token=${String(body['refresh_token'])}`,
    );
    expect(claimsOf(answer)['sub']).toBe('');
  });

  it('never fails by what a client sends (fuzz)', async () => {
    const text = oneof(string(), string({ unit: 'binary' }), constantFrom('repository:a/b:*', '::', '%', '\0'));
    await assert(
      asyncProperty(text, text, text, async (scope, service, authorization) => {
        const query = `?scope=${encodeURIComponent(scope.toWellFormed())}&service=${encodeURIComponent(service.toWellFormed())}`;
        const header = `Basic ${Buffer.from(authorization).toString('base64')}`;
        expect((await get(query, header)).status).toBeLessThan(500);
      }),
      { numRuns: 60 },
    );
  });
});

/** Sends a form in chunks for as long as the server takes them; resolves with the status of its answer. */
async function postWithoutEnd(): Promise<number | undefined> {
  const headers = { 'content-type': 'application/x-www-form-urlencoded' };
  const outgoing = request(`${origin}/auth/token`, { method: 'POST', headers });
  const chunk = Buffer.alloc(16_384, 'x');
  const sender = setInterval(() => outgoing.write(chunk), 1);
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
  clearInterval(sender);
  outgoing.on('error', () => undefined).destroy();
  return response.statusCode;
}

describe('POST /auth/token', () => {
  const password = {
    grant_type: 'password',
    service: 'entrepot',
    client_id: 'docker',
    username: 'alice',
    password: 'secret',
  };

  it('takes a password, and says what was granted', async () => {
    const answer = await post({ ...password, scope: 'repository:alice/app:push,pull repository:root/x:pull' });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      scope: 'repository:alice/app:pull,push',
      access_token: answer.body['token'],
      expires_in: 300,
    });
    expect(answer.body).not.toHaveProperty('refresh_token');
    expect((await post(password)).body).toMatchObject({ scope: '' });
  });

  it('gives a refresh token for offline access, which stands for the account whichever client asks', async () => {
    const { body } = await post({ ...password, access_type: 'offline' });
    const refresh = {
      grant_type: 'refresh_token',
      service: 'entrepot',
      client_id: 'docker',
      refresh_token: String(body['refresh_token']),
    };
    const scope = 'repository:alice/app:push,pull';
    for (let use = 0; use < 2; use++) {
      const answer = await post({ ...refresh, scope });
      expect(answer.body).toMatchObject({ scope: 'repository:alice/app:pull,push' });
      expect(claimsOf(answer)['sub']).toBe('alice');
      expect(answer.body).not.toHaveProperty('refresh_token');
    }
    expect((await post({ ...refresh, client_id: 'registry-client' })).status).toBe(200);
    expect((await post({ ...refresh, refresh_token: `${refresh.refresh_token}x` })).status).toBe(401);
    expect((await get('', `Bearer ${refresh.refresh_token}`)).status).toBe(401);
    expect((await get('', basic('alice', refresh.refresh_token))).status).toBe(401);
  });

  it('refuses in both shapes: the registry’s and OAuth’s', async () => {
    const wrong = await post({ ...password, password: 'wrong' });
    expect(wrong.status).toBe(401);
    expect(wrong.body).toEqual({
      errors: [{ code: 'UNAUTHORIZED', message: expect.any(String) }],
      error: 'invalid_grant',
      error_description: expect.any(String),
    });
    expect(wrong.headers.get('www-authenticate')).toMatch(/^Basic /);
  });

  it.each([
    ['authorization_code', { grant_type: 'authorization_code', code: 'x' }, 'unsupported_grant_type'],
    ['no grant', {}, 'unsupported_grant_type'],
    ['no password', { grant_type: 'password', username: 'alice' }, 'invalid_request'],
    ['no refresh token', { grant_type: 'refresh_token' }, 'invalid_request'],
    ['another service', { ...password, service: 'other' }, 'invalid_request'],
  ] as [string, Record<string, string>, string][])('refuses %s with 400', async (_name, form, error) => {
    const answer = await post(form);
    expect([answer.status, answer.body['error']]).toEqual([400, error]);
  });

  it('reads a form, of a bounded size, and nothing else (B-12)', async () => {
    expect(
      (await send('/auth/token', { method: 'POST', body: '{}', headers: { 'content-type': 'application/json' } }))
        .status,
    ).toBe(415);
    expect((await send('/auth/token', { method: 'POST' })).status).toBe(415);
    expect((await post({ ...password, password: 'x'.repeat(70_000) })).status).toBe(413);
    expect(await postWithoutEnd()).toBe(413);
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    const inQuery = await send(`/auth/token?${new URLSearchParams(password)}`, { method: 'POST', body: '', headers });
    expect(inQuery.status).toBe(400);
  });
});

describe('failed logins', () => {
  it('are 429 with Retry-After over the limit, in both shapes, and elsewhere the owner gets in (A-01)', async () => {
    const headers = { authorization: basic('alice', 'wrong'), 'x-forwarded-for': '192.0.2.1' };
    for (let attempt = 0; attempt < 3; attempt++) expect((await send('/auth/token', { headers })).status).toBe(401);
    const throttled = await send('/auth/token', { headers: { ...headers, authorization: asAlice } });
    expect(throttled.status).toBe(429);
    expect(Number(throttled.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(throttled.body).toEqual({ errors: [{ code: 'TOOMANYREQUESTS', message: expect.any(String) }] });
    const form = { grant_type: 'password', username: 'alice', password: 'secret' };
    const inForm = await post(form, { 'x-forwarded-for': '192.0.2.1' });
    expect([inForm.status, inForm.body['error']]).toEqual([429, 'temporarily_unavailable']);
    expect((await get('', asAlice)).status).toBe(200);
  });

  it('are counted for a /64 of IPv6', async () => {
    for (const [index, status] of [401, 401, 401, 429].entries()) {
      const headers = { authorization: basic('root', 'wrong'), 'x-forwarded-for': `2001:db8::${index + 1}` };
      expect((await send('/auth/token', { headers })).status).toBe(status);
    }
  });
});

describe('changes of rights', () => {
  it('are in the next token', async () => {
    const query = '?scope=repository:root/new:pull,push';
    expect(claimsOf(await get(query, asAlice))['access']).toEqual([]);
    await administer((administration) =>
      putGrant(administration, { to: { user: 'alice' }, on: { namespace: 'root' } }, 'admin'),
    );
    expect(claimsOf(await get(query, asAlice))['access']).toEqual([
      { type: 'repository', name: 'root/new', actions: ['pull', 'push'] },
    ]);
  });

  it('a new password ends the old one and its refresh tokens at once (A-08)', async () => {
    await administer((administration) =>
      createAccount(administration, { name: 'carol', password: 'old', isAdmin: false }),
    );
    const { body } = await get('?offline_token=true&client_id=docker', basic('carol', 'old'));
    await administer((administration) => resetPassword(administration, 'carol', 'new'));
    expect((await get('', basic('carol', 'old'))).status).toBe(401);
    expect((await get('', basic('carol', 'new'))).status).toBe(200);
    const refresh = { grant_type: 'refresh_token', client_id: 'docker', refresh_token: String(body['refresh_token']) };
    expect((await post(refresh)).status).toBe(401);
  });
});

describe('GET /auth/jwks', () => {
  it('publishes keys that verify the tokens, for verifiers to keep a while', async () => {
    const answer = await send('/auth/jwks');
    expect(answer.headers.get('cache-control')).toBe('public, max-age=30');
    expect(answer.body).toEqual({
      keys: [
        {
          kty: 'EC',
          crv: 'P-256',
          x: expect.any(String),
          y: expect.any(String),
          kid: expect.any(String),
          use: 'sig',
          alg: 'ES256',
        },
      ],
    });
    const pool = createPool({ ...ownerSettings(), role: 'registry' });
    const keys = new VerifyingKeys(new PostgresPublicKeys(pool), Date.now);
    await keys.refresh();
    const { verify } = createTokenVerifier({
      issuer: 'entrepot',
      audience: 'entrepot',
      keys: () => keys.current(),
      onUnknownKid: () => keys.refreshForUnknownKid(),
      revocations: { isAccountCurrent: () => true, isRepositoryCurrent: () => true },
      nowMs: Date.now,
    });
    expect(await verify(String((await get('', asAlice)).body['token']))).toMatchObject({ accountName: 'alice' });
    await pool.end();
  });
});

describe('everything else', () => {
  it.each([
    ['PUT', '/auth/token', 405, 'GET, POST'],
    ['DELETE', '/auth/token', 405, 'GET, POST'],
    ['POST', '/auth/jwks', 405, 'GET'],
    ['GET', '/auth', 404, null],
    ['GET', '/auth/', 404, null],
    ['GET', '/auth/token/', 404, null],
    ['GET', '/auth/Token', 404, null],
    ['GET', '/auth/keys', 404, null],
  ])('%s %s is %i', async (method, path, status, allow) => {
    const answer = await send(path, { method });
    expect([answer.status, answer.headers.get('allow')]).toEqual([status, allow]);
    expect(answer.body).toEqual({ errors: [expect.objectContaining({ code: 'UNSUPPORTED' })] });
  });

  it('HEAD is no GET', async () => {
    expect(await send('/auth/token', { method: 'HEAD' })).toMatchObject({ status: 405, body: {} });
  });

  it('no secret was logged on the way (L-02)', () => {
    const log = lines.join('\n');
    for (const secret of ['secret', 'toor', 'entrepot_rt_', environment.ENTREPOT_SECRETS_KEY, asAlice]) {
      expect(log).not.toContain(secret);
    }
  });
});
