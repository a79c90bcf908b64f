import bcrypt from 'bcrypt';
import { describe, expect, it } from 'vitest';
import { AccessError } from '../errors.js';
import { hashArgon2id, isOutdatedArgon2id, matchesArgon2id, matchNothing } from './argon2id.js';
import { isBcryptHash, matchesBcrypt } from './bcrypt.js';
import { PasswordHasher } from './password-hasher.js';
import { checkNewPassword, isUsablePassword } from './password-rules.js';
import { WorkLimit } from './work-limit.js';

describe('argon2id', () => {
  it('makes PHC strings with a salt of their own', async () => {
    const [one, two] = await Promise.all([hashArgon2id('secret'), hashArgon2id('secret')]);
    expect(one).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(two);
    expect(await matchesArgon2id(one, 'secret')).toBe(true);
    expect(await matchesArgon2id(one, 'Secret')).toBe(false);
  });

  it('tells passwords apart that share their first 72 bytes (A-07)', async () => {
    const long = 'x'.repeat(72);
    const hash = await hashArgon2id(long);
    expect(await matchesArgon2id(hash, `${long}y`)).toBe(false);
    expect(await matchesArgon2id(hash, long)).toBe(true);
  });

  it('reads hashes of other costs, made by other implementations', async () => {
    // RFC 9106 has no vector without secret and data; this one is of the reference implementation's own tests.
    const reference = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc';
    expect(await matchesArgon2id(reference, 'password')).toBe(true);
    expect(await matchesArgon2id(reference, 'passwort')).toBe(false);
    expect(isOutdatedArgon2id(reference)).toBe(false);
    expect(isOutdatedArgon2id(reference.replace('m=65536', 'm=4096'))).toBe(true);
  });

  it('matches nothing that is no such string', async () => {
    for (const stored of [
      '',
      'secret',
      '$argon2i$v=19$m=8,t=1,p=1$c29tZXNhbHQ$aaaa',
      '$argon2id$v=19$m=99999999,t=2,p=1$c$c',
    ]) {
      expect(await matchesArgon2id(stored, 'secret')).toBe(false);
    }
    expect(await matchNothing('secret')).toBe(false);
  });
});

describe('bcrypt', () => {
  it('knows the spellings of htpasswd files, and refuses costs out of bounds', async () => {
    const hash = await bcrypt.hash('secret', 4);
    for (const prefix of ['$2a', '$2b', '$2y']) {
      const stored = hash.replace(/^\$2b/, prefix);
      expect(isBcryptHash(stored)).toBe(true);
      expect(await matchesBcrypt(stored, 'secret')).toBe(true);
      expect(await matchesBcrypt(stored, 'Secret')).toBe(false);
    }
    expect(isBcryptHash(hash.replace('$04$', '$31$'))).toBe(false);
    expect(isBcryptHash('$apr1$x$y')).toBe(false);
  });

  it('never accepts a password by its first 72 bytes (A-07)', async () => {
    const long = 'x'.repeat(72);
    const stored = await bcrypt.hash(long, 4);
    expect(await matchesBcrypt(stored, long)).toBe(true);
    expect(await matchesBcrypt(stored, `${long}y`)).toBe(false);
  });
});

describe('rules', () => {
  it.each([
    ['', false],
    ['a', true],
    ['ü'.repeat(512), true],
    ['ü'.repeat(513), false],
    ['x'.repeat(1025), false],
    ['a\0b', false],
    ['   ', true],
  ])('%j', (password, isUsable) => {
    expect(isUsablePassword(password)).toBe(isUsable);
  });
});

describe('checkNewPassword', () => {
  it('says what a password may be', () => {
    expect(() => checkNewPassword('a')).not.toThrow();
    expect(() => checkNewPassword('')).toThrow(AccessError);
    expect(() => checkNewPassword('')).toThrow('1 to 1024 bytes');
  });
});

describe('PasswordHasher', () => {
  const options = { concurrency: 1, maxWaiting: 1, nowMs: () => 0 };

  it('compares with argon2id, bcrypt and nothing', async () => {
    const hasher = new PasswordHasher({ ...options, maxWaiting: 10 });
    const stored = await hasher.hash('secret');
    expect(await hasher.matches(stored, 'secret')).toBe(true);
    expect(await hasher.matches(stored, 'secret')).toBe(true);
    expect(await hasher.matches(stored, 'other')).toBe(false);
    expect(await hasher.matches(undefined, 'secret')).toBe(false);
    const imported = await bcrypt.hash('secret', 4);
    expect(await hasher.matches(imported, 'secret')).toBe(true);
    expect(await hasher.matches(imported, 'other')).toBe(false);
    expect([hasher.isOutdated(stored), hasher.isOutdated(imported)]).toEqual([false, true]);
  });

  it('shares equal comparisons, and refuses more work than may wait (G-06)', async () => {
    const hasher = new PasswordHasher(options);
    const equal = Array.from({ length: 20 }, () => hasher.matches(undefined, 'same'));
    const others = await Promise.allSettled(['a', 'b', 'c'].map((password) => hasher.matches(undefined, password)));
    expect(await Promise.all(equal)).not.toContain(true);
    expect(others.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
    expect(others[2]).toMatchObject({ reason: { code: 'LOGIN_BUSY', retryAfterMs: 1_000 } });
  });
});

describe('WorkLimit', () => {
  it('runs work in order, so many at once, and frees its place when work fails', async () => {
    const limit = new WorkLimit({ concurrency: 2, maxWaiting: 10 });
    let running = 0;
    let most = 0;
    const order: number[] = [];
    const work = (index: number) => async () => {
      running += 1;
      most = Math.max(most, running);
      order.push(index);
      await new Promise((resolve) => setImmediate(resolve));
      running -= 1;
      if (index % 3 === 0) throw new Error('failed');
    };
    await Promise.allSettled(Array.from({ length: 8 }, (_, index) => limit.run(work(index), () => new Error('full'))));
    expect(order).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
    expect([most, running]).toEqual([2, 0]);
  });
});
