import bcrypt from 'bcrypt';
import { beforeAll, describe, expect, it } from 'vitest';
import { createAccount, disableAccount, enableAccount, importHtpasswd, resetPassword } from '@entrepot/access';
import { jsonOf, lookOf, type Answer } from '../wire/http.js';
import { alice, basicOf, bearer, bob, root, send, SERVICE, tokenPath, type TokenAnswer } from '../world/person.js';
import { asOperator, fillRepositories, makeUser } from '../world/product.js';
import { PLANTED } from '../world/settings.js';
import { until, WITHDRAWAL_MS } from '../world/until.js';

/** A login from an address of its own, so that failures counted there concern nobody else. */
function logIn(name: string, password: string, localAddress: string, headers = {}): Promise<Answer> {
  return send({ path: tokenPath([]), headers: { Authorization: basicOf(name, password), ...headers }, localAddress });
}

function postForm(fields: Record<string, string>): Promise<Answer> {
  const headers = { 'Content-Type': 'application/x-www-form-urlencoded' };
  const body = new URLSearchParams({ service: SERVICE, client_id: 'attacks', ...fields }).toString();
  return send({ method: 'POST', path: '/auth/token', headers, body });
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

describe('A: logins', () => {
  beforeAll(fillRepositories);

  it('A-01: twenty failures of an account from an address, then 429; elsewhere it logs in', async () => {
    const from = '127.0.1.1';
    const statuses: number[] = [];
    for (let round = 0; round < 20; round++) statuses.push((await logIn('alice', `wrong ${round}`, from)).status);
    expect(new Set(statuses)).toEqual(new Set([401]));
    const throttled = await logIn('alice', 'wrong again', from);
    expect(throttled.status).toBe(429);
    expect(Number(throttled.headers['retry-after'])).toBeGreaterThan(200);
    expect(Number(throttled.headers['retry-after'])).toBeLessThanOrEqual(300);
    expect((await logIn('alice', PLANTED.userPassword, from)).status).toBe(429);
    expect((await logIn('alice', PLANTED.userPassword, '127.0.1.2')).status).toBe(200);
    expect((await logIn('bob', PLANTED.userPassword, from)).status).toBe(200);
    expect((await logIn('admin', PLANTED.administratorPassword, from)).status).toBe(200);
  });

  it('A-01: a hundred failures from an address, under whatever names, and at either door; then 429', async () => {
    const from = '127.0.1.3';
    for (let round = 0; round < 50; round++) {
      const statuses = await Promise.all([
        logIn(`nobody-${round}`, 'wrong', from),
        send({ path: '/v2/', headers: { Authorization: basicOf(`no-one-${round}`, 'wrong') }, localAddress: from }),
      ]);
      expect(statuses.map(({ status }) => status)).toEqual([401, 401]);
    }
    expect((await logIn('bob', PLANTED.userPassword, from)).status).toBe(429);
    const atDataPlane = { path: '/v2/', headers: { Authorization: bob.basic }, localAddress: from };
    expect((await send(atDataPlane)).status).toBe(429);
    expect((await logIn('bob', PLANTED.userPassword, '127.0.1.4')).status).toBe(200);
  });

  it('A-02: a wrong password, a missing, a disabled and an impossible name look the same, and cost the same', async () => {
    const gone = await makeUser('gone');
    await asOperator((administration) => disableAccount(administration, gone.name));
    const names = ['bob', 'nobody', gone.name, 'No Body'];
    const looks: object[] = [];
    const timesMs = new Map<string, number[]>(names.map((name) => [name, []]));
    for (let round = 0; round < 12; round++) {
      for (const name of names) {
        const startedMs = performance.now();
        looks.push(lookOf(await logIn(name, `wrong ${round}`, '127.0.1.5')));
        timesMs.get(name)?.push(performance.now() - startedMs);
      }
    }
    for (const look of looks) expect(look).toEqual(looks[0]);
    const [known = 0, ...others] = names.map((name) => median(timesMs.get(name) ?? []));
    console.log(`A-02: medians of 12 failed logins in ms, in order ${names.join(', ')}:`, known, ...others);
    // A login that skips the hash takes a tenth of one that does not: far beyond this factor.
    for (const other of others) expect(Math.max(known, other) / Math.min(known, other)).toBeLessThan(4);
  });

  it('A-05: a refresh token that is cut, longer or changed in a place is as wrong as any', async () => {
    const offline = { grant_type: 'password', username: 'bob', password: PLANTED.userPassword, access_type: 'offline' };
    const { refresh_token: good = '' } = jsonOf<TokenAnswer>(await postForm(offline));
    const changed = [0, 15, good.length - 1].map((at) => `${good.slice(0, at)}_${good.slice(at + 1)}`);
    const wrong = [...changed, good.slice(0, -1), `${good}A`, `${good} `, 'x', '\0', 'entrepot_rt_'];
    const answers = await Promise.all(
      wrong.map((text) => postForm({ grant_type: 'refresh_token', refresh_token: text })),
    );
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([401]));
    for (const answer of answers) expect(lookOf(answer)).toEqual(lookOf(answers[0] as Answer));
    expect((await postForm({ grant_type: 'refresh_token', refresh_token: good })).status).toBe(200);
  });

  it('A-07: what follows the 72nd byte or a NUL of a password counts', async () => {
    const long = 'p'.repeat(72);
    const names = { argon2: `long-${process.pid}`, bcrypt: `imported-${process.pid}` };
    await asOperator(async (administration) => {
      await createAccount(administration, { name: names.argon2, password: long, isAdmin: false });
      await importHtpasswd(administration, `${names.bcrypt}:${await bcrypt.hash(long, 4)}\n`);
    });
    const from = '127.0.1.6';
    // The imported one last: its first login replaces the weak hash.
    for (const name of [names.bcrypt, names.argon2]) {
      expect((await logIn(name, `${long}x`, from)).status).toBe(401);
      expect((await logIn(name, `${long}\0`, from)).status).toBe(401);
      expect((await logIn(name, 'p'.repeat(71), from)).status).toBe(401);
      expect((await logIn(name, long, from)).status).toBe(200);
      expect((await logIn(name, `${long}x`, from)).status).toBe(401);
    }
  });

  it('A-07: a password of a megabyte is refused before it is looked at', async () => {
    const password = 'p'.repeat(1024 * 1024);
    expect((await postForm({ grant_type: 'password', username: 'bob', password })).status).toBe(413);
    const withinForm = 'p'.repeat(60 * 1024);
    expect((await postForm({ grant_type: 'password', username: 'bob', password: withinForm })).status).toBe(401);
    expect((await logIn('bob', 'p'.repeat(20 * 1024), '127.0.1.7')).status).toBe(401);
  });

  it('A-08: a disabled user is out within 5 s, and the refresh token at once; enabled again, old tokens stay out', async () => {
    const user = await makeUser('leaver');
    const token = await user.token(`repository:${user.name}/app:pull,push`);
    const issued = await send({
      path: tokenPath([], { offline_token: 'true' }),
      headers: { Authorization: user.basic },
    });
    const { refresh_token: refresh = '' } = jsonOf<TokenAnswer>(issued);
    const ask = { method: 'POST', path: `/v2/${user.name}/app/blobs/uploads/`, headers: bearer(token) };
    expect((await send(ask)).status).toBe(202);
    await asOperator((administration) => disableAccount(administration, user.name));
    expect((await postForm({ grant_type: 'refresh_token', refresh_token: refresh })).status).toBe(401);
    expect((await logIn(user.name, PLANTED.userPassword, '127.0.1.8')).status).toBe(401);
    const tookMs = await until(async () => (await send(ask)).status === 401, WITHDRAWAL_MS);
    console.log(`A-08: the token of a disabled user was refused after ${Math.round(tookMs)} ms`);
    const refused = await send(ask);
    expect(refused.headers['www-authenticate']).toContain('error="invalid_token"');
    await asOperator((administration) => enableAccount(administration, user.name));
    expect((await send(ask)).status).toBe(401);
    expect((await logIn(user.name, PLANTED.userPassword, '127.0.1.8')).status).toBe(200);
  });

  it('A-08: a new password ends tokens and refresh tokens', async () => {
    const user = await makeUser('renewed');
    const token = await user.token(`repository:${user.name}/app:pull,push`);
    const grant = {
      grant_type: 'password',
      username: user.name,
      password: PLANTED.userPassword,
      access_type: 'offline',
    };
    const { refresh_token: refresh = '' } = jsonOf<TokenAnswer>(await postForm(grant));
    const renewed = 'another password, as long';
    await asOperator((administration) => resetPassword(administration, user.name, renewed));
    expect((await postForm({ grant_type: 'refresh_token', refresh_token: refresh })).status).toBe(401);
    expect((await logIn(user.name, PLANTED.userPassword, '127.0.1.9')).status).toBe(401);
    expect((await logIn(user.name, renewed, '127.0.1.9')).status).toBe(200);
    const ask = { path: '/v2/', headers: bearer(token) };
    await until(async () => (await send(ask)).status === 401, WITHDRAWAL_MS);
  });

  it('A-15: forwarding headers of a stranger change neither the count of failures nor the realm', async () => {
    const from = '127.0.1.10';
    for (let round = 0; round < 20; round++) {
      const forwarded = {
        'X-Forwarded-For': `198.51.100.${round}`,
        'X-Real-IP': `198.51.100.${round}`,
        Forwarded: `for=198.51.100.${round}`,
      };
      expect((await logIn('alice', `wrong ${round}`, from, forwarded)).status).toBe(401);
    }
    const headers = { 'X-Forwarded-For': '203.0.113.1, 127.0.0.1', 'X-Real-IP': '203.0.113.1' };
    expect((await logIn('alice', 'wrong', from, headers)).status).toBe(429);
    const challenged = await send({
      path: '/v2/',
      headers: { 'X-Forwarded-Host': 'evil.example', 'X-Forwarded-Proto': 'https', Forwarded: 'host=evil.example' },
    });
    expect(challenged.headers['www-authenticate']).toMatch(/^Bearer realm="http:\/\/127\.0\.0\.1:\d+\/auth\/token"/);
    expect((await alice.ask({ path: '/v2/acme/app/manifests/1' })).status).toBe(200);
    expect((await root.ask({ path: '/v2/_catalog' })).status).toBe(200);
  });
});
