import { parseScopes } from '@entrepot/oci';
import bcrypt from 'bcrypt';
import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { createAccount } from '../administration/create-account.js';
import { disableAccount } from '../administration/disable-account.js';
import { importHtpasswd } from '../administration/import-htpasswd.js';
import { putGrant, revokeGrant } from '../administration/grants.js';
import { resetPassword } from '../administration/reset-password.js';
import { PasswordHasher } from '../passwords/password-hasher.js';
import type { AccessStores } from '../ports/access-stores.suite.js';
import type { AttemptCounter } from '../ports/attempt-counter.js';
import { resolveAccess } from '../tokens/issue-token.js';
import { issueRefreshToken, redeemRefreshToken } from '../tokens/refresh-token.js';
import { createAuthenticator } from './authenticate.js';
import type { Authenticate } from './authenticate.js';
import { LoginThrottle } from './login-throttle.js';

const ACCOUNT_LIMIT = 5;
const ADDRESS_LIMIT = 12;
const HERE = '192.0.2.1';
const THERE = '198.51.100.7';

export interface LoginSuiteStores extends AccessStores {
  readonly accountFailures: AttemptCounter;
  readonly addressFailures: AttemptCounter;
}

/** `in`, or the code of the refusal. */
async function outcomeOf(login: Promise<unknown>): Promise<unknown> {
  return login.then(
    () => 'in',
    (error: { code?: string }) => error.code,
  );
}

/** Logins by password and by refresh token, on real stores; each test has names and addresses of its own. */
export function loginSuite(open: () => LoginSuiteStores): void {
  let stores: LoginSuiteStores;
  let authenticate: Authenticate;
  let admin: Parameters<typeof createAccount>[0];
  let alice: string;
  let here: string;
  let there: string;

  beforeEach(async () => {
    stores = open();
    const passwords = new PasswordHasher({ concurrency: 2, maxWaiting: 100, nowMs: Date.now });
    const { credentials, accountFailures, addressFailures } = stores;
    const limits = { accountLimit: ACCOUNT_LIMIT, addressLimit: ADDRESS_LIMIT };
    const throttle = new LoginThrottle({ accountFailures, addressFailures, ...limits });
    authenticate = createAuthenticator({ credentials, passwords, throttle, upgradesHashes: true });
    admin = { store: stores.store, actor: { id: undefined, name: 'suite' }, passwords };
    const unique = randomUUID().slice(0, 8);
    [alice, here, there] = [`alice-${unique}`, `${HERE}-${unique}`, `${THERE}-${unique}`];
    await createAccount(admin, { name: alice, password: 'secret', isAdmin: false });
  });

  const logIn = (password: string, address = here, name = alice) => authenticate({ name, password, address });

  async function failures(count: number, address = here, name = alice): Promise<unknown[]> {
    const outcomes: unknown[] = [];
    for (let attempt = 0; attempt < count; attempt++) outcomes.push(await outcomeOf(logIn('wrong', address, name)));
    return outcomes;
  }

  describe('a login', () => {
    it('needs the right password', async () => {
      expect(await logIn('secret')).toEqual({
        accountId: expect.any(String),
        name: alice,
        accessVersion: 1,
        credentialVersion: 1,
      });
      expect(await failures(1)).toEqual(['CREDENTIALS_REFUSED']);
    });

    it.each(['', '\0', ' ', 'secret\0', 'secret ', 'x'.repeat(1025), 'x'.repeat(1_048_576)])(
      'fails with a password of strange length or content, case %# (A-03, A-07)',
      async (password) => {
        expect(await outcomeOf(logIn(password))).toBe('CREDENTIALS_REFUSED');
      },
    );

    it.each(['nobody', '*', 'Alice', "' OR 1=1 --", 'a\0b', '('.repeat(10_000), ''])(
      'fails alike for a name that is none, case %# (A-02, A-04)',
      async (name) => {
        const reasons = [];
        for (const attempt of [() => logIn('wrong'), () => logIn('secret', here, name)]) {
          reasons.push(await attempt().catch((error: Error) => error.message));
        }
        expect(reasons[0]).toBe(reasons[1]);
      },
    );

    it('fails for a disabled account, at once (A-08)', async () => {
      await logIn('secret');
      await disableAccount(admin, alice);
      expect(await outcomeOf(logIn('secret'))).toBe('CREDENTIALS_REFUSED');
    });

    it('fails with an old password, at once, though it was remembered', async () => {
      await logIn('secret');
      await resetPassword(admin, alice, 'another');
      expect(await outcomeOf(logIn('secret'))).toBe('CREDENTIALS_REFUSED');
      expect(await outcomeOf(logIn('another'))).toBe('in');
    });

    it('replaces an imported hash by argon2id', async () => {
      const name = `${alice}.imported`;
      await importHtpasswd(admin, `${name}:${await bcrypt.hash('imported', 4)}`);
      expect(await outcomeOf(logIn('wrong', here, name))).toBe('CREDENTIALS_REFUSED');
      expect(await outcomeOf(logIn('imported', here, name))).toBe('in');
      expect((await stores.credentials.findLogin(name))?.passwordHash).toMatch(/^\$argon2id\$/);
      expect(await outcomeOf(logIn('imported', here, name))).toBe('in');
    });
  });

  describe('failures', () => {
    it('stop an account at an address, and not its owner elsewhere (A-01)', async () => {
      expect(await failures(ACCOUNT_LIMIT)).not.toContain('LOGIN_THROTTLED');
      expect(await failures(1)).toEqual(['LOGIN_THROTTLED']);
      await expect(logIn('secret')).rejects.toMatchObject({
        code: 'LOGIN_THROTTLED',
        retryAfterMs: expect.any(Number),
      });
      expect(await outcomeOf(logIn('secret', there))).toBe('in');
    });

    it('of names that do not exist are counted the same (A-02)', async () => {
      expect(await failures(ACCOUNT_LIMIT + 1, here, 'nobody')).toEqual([
        ...Array.from({ length: ACCOUNT_LIMIT }, () => 'CREDENTIALS_REFUSED'),
        'LOGIN_THROTTLED',
      ]);
    });

    it('of many names stop an address', async () => {
      const outcomes = [];
      for (let index = 0; index <= ADDRESS_LIMIT; index++)
        outcomes.push(...(await failures(1, here, `nobody${index}`)));
      expect(outcomes.indexOf('LOGIN_THROTTLED')).toBe(ADDRESS_LIMIT);
      expect(await outcomeOf(logIn('secret', here))).toBe('LOGIN_THROTTLED');
      expect(await outcomeOf(logIn('secret', there))).toBe('in');
    });

    it('at once are no more than one after the other', async () => {
      const outcomes = await Promise.all(Array.from({ length: 12 }, (_, index) => outcomeOf(logIn(`wrong${index}`))));
      expect(outcomes.filter((outcome) => outcome === 'CREDENTIALS_REFUSED')).toHaveLength(ACCOUNT_LIMIT);
    });

    it('are forgiven by a correct login, which never counts', async () => {
      for (let round = 0; round < 2; round++) {
        await failures(ACCOUNT_LIMIT - 1);
        expect(await outcomeOf(logIn('secret'))).toBe('in');
      }
      for (let round = 0; round < ADDRESS_LIMIT; round++) expect(await outcomeOf(logIn('secret'))).toBe('in');
    });
  });

  describe('a refresh token', () => {
    const terms = { service: 'entrepot', clientId: 'docker' };
    const issue = async (expiresAtMs = Date.now() + 60_000) =>
      issueRefreshToken(stores.refreshTokens, await logIn('secret'), { ...terms, expiresAtMs });
    const redeem = (token: string, service = terms.service) => redeemRefreshToken(stores.refreshTokens, token, service);

    it('stands for its account, again and again, and is stored as a hash', async () => {
      const token = await issue();
      expect(token).toMatch(/^entrepot_rt_[\w-]{43}$/);
      for (let use = 0; use < 3; use++) expect(await redeem(token)).toMatchObject({ name: alice });
    });

    it('is bound to its service', async () => {
      const token = await issue();
      await expect(redeem(token, 'notary')).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
      await redeem(token);
    });

    it.each(['', 'nonsense', `entrepot_rt_${'A'.repeat(43)}`, `entrepot_rt_${'A'.repeat(10_000)}`])(
      'is refused when it is none: case %#',
      async (token) => {
        await expect(redeem(token)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
      },
    );

    it('ends with its time', async () => {
      await expect(redeem(await issue(Date.now() - 1_000))).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    });

    it('ends with the password, or a disabled account (A-08)', async () => {
      const first = await issue();
      await resetPassword(admin, alice, 'secret');
      await expect(redeem(first)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
      const second = await issue();
      await disableAccount(admin, alice);
      await expect(redeem(second)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    });

    it('outlives a change of grants', async () => {
      const token = await issue();
      const target = { to: { user: alice }, on: { namespace: alice } };
      await putGrant(admin, target, 'read');
      await revokeGrant(admin, target);
      expect(await redeem(token)).toMatchObject({ name: alice, accessVersion: 2, credentialVersion: 1 });
    });

    it('is one of a hundred at most; the oldest go', async () => {
      const login = await logIn('secret');
      const dated = { ...terms, expiresAtMs: Date.now() + 60_000 };
      const first = await issueRefreshToken(stores.refreshTokens, login, dated);
      let last = first;
      for (let index = 0; index < 100; index++) last = await issueRefreshToken(stores.refreshTokens, login, dated);
      await expect(redeem(first)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
      await redeem(last);
    });
  });

  describe('access', () => {
    it('is that of the account as it is now, and none once it is disabled', async () => {
      const login = await logIn('secret');
      const scopes = parseScopes([`repository:${alice}/app:pull,push`]);
      const { bearer, granted } = await resolveAccess(stores.reader, login, scopes);
      expect(bearer).toEqual({ accountId: login.accountId, accountName: alice, accountVersion: 1 });
      expect(granted.repositories.get(`${alice}/app`)?.actions).toEqual(new Set(['pull', 'push']));
      await disableAccount(admin, alice);
      await expect(resolveAccess(stores.reader, login, scopes)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
      const ghost = { ...login, accountId: randomUUID() };
      await expect(resolveAccess(stores.reader, ghost, scopes)).rejects.toMatchObject({ code: 'CREDENTIALS_REFUSED' });
    });

    it('of anonymous is that of anyone', async () => {
      const { bearer } = await resolveAccess(stores.reader, undefined, parseScopes(['registry:catalog:*']));
      expect(bearer).toEqual({ accountId: undefined, accountName: '', accountVersion: 0 });
    });
  });
}
