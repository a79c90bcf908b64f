import { describe, expect, it } from 'vitest';
import { Secret } from '../config/secret.js';
import { parseRedisAddress } from './redis-address.js';

const NOBODY = { username: undefined, password: undefined };
const SINGLE = { form: 'single', isTls: false, database: 0, masterName: '', ...NOBODY, sentinel: NOBODY };

function readLogin(text: string) {
  const address = parseRedisAddress(text);
  if (typeof address === 'string') throw new Error(address);
  return [address.username, address.password?.reveal()];
}

describe('parseRedisAddress', () => {
  it.each([
    ['redis://cache', { ...SINGLE, nodes: [{ host: 'cache', port: 6379 }] }],
    ['redis://10.0.0.7:6380/3', { ...SINGLE, nodes: [{ host: '10.0.0.7', port: 6380 }], database: 3 }],
    ['rediss://[fd00::7]:6380', { ...SINGLE, nodes: [{ host: 'fd00::7', port: 6380 }], isTls: true }],
    ['redis://[::1]', { ...SINGLE, nodes: [{ host: '::1', port: 6379 }] }],
    [
      'redis+sentinel://a:26379,b,[::1]:5000/mymaster/2',
      {
        ...SINGLE,
        form: 'sentinel',
        nodes: [
          { host: 'a', port: 26_379 },
          { host: 'b', port: 26_379 },
          { host: '::1', port: 5000 },
        ],
        masterName: 'mymaster',
        database: 2,
      },
    ],
    [
      'rediss+cluster://a:7000,b:7001',
      {
        ...SINGLE,
        form: 'cluster',
        isTls: true,
        nodes: [
          { host: 'a', port: 7000 },
          { host: 'b', port: 7001 },
        ],
      },
    ],
  ])('reads %s', (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  it('reads logins, percent-encoded or not', () => {
    expect(readLogin('redis://:p%40ss%2Fword@cache')).toEqual([undefined, 'p@ss/word']);
    expect(readLogin('redis://entrepot:a:b@cache')).toEqual(['entrepot', 'a:b']);
    expect(readLogin('redis://p@ss@cache')).toEqual(['p@ss', undefined]);
    expect(readLogin('redis+cluster://u:p@a,b')).toEqual(['u', 'p']);
  });

  it('reads the login of Sentinels, which is another one', () => {
    const address = parseRedisAddress('redis+sentinel://:p@a/m?sentinelUsername=u&sentinelPassword=s%26s');
    expect(address).toMatchObject({ sentinel: { username: 'u', password: expect.any(Secret) as Secret } });
    expect(address).toMatchObject({ password: expect.any(Secret) as Secret });
  });

  it.each([
    'http://cache',
    'cache:6379',
    'redis://',
    'redis://cache:99999',
    'redis://a,b',
    'redis://cache/zero',
    'redis://cache/0/1',
    'redis://:hunter2%zz@cache',
    'redis://:hunter2@cache?password=hunter2',
    'redis+sentinel://:hunter2@a:26379',
    'redis+cluster://:hunter2@a/1',
    'redis+unix:///run/redis.sock',
  ])('says what is wrong with %s and repeats nothing of it', (text) => {
    const complaint = parseRedisAddress(text);
    expect(complaint).toEqual(expect.stringMatching(/^(must|has|holds) /));
    expect(complaint).not.toMatch(/hunter2|cache/);
  });
});
