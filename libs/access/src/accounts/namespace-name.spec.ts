import { describe, expect, it } from 'vitest';
import { checkNewNamespaceName, isNamespaceName } from './namespace-name.js';

describe('names of users and organisations', () => {
  it.each(['a', 'alice', 'a1', 'a.b', 'a_b', 'a__b', 'a-b', 'a---b', '0', 'x'.repeat(64)])('%s', (name) => {
    expect(isNamespaceName(name)).toBe(true);
    checkNewNamespaceName(name);
  });

  it.each([
    '',
    'Alice',
    'a/b',
    '-a',
    'a-',
    '.a',
    'a..b',
    '_catalog',
    'a b',
    'é',
    'a\0',
    'a\n',
    '*)(uid=*',
    'x'.repeat(65),
    '('.repeat(10_000),
  ])('not %j (A-04)', (name) => {
    expect(isNamespaceName(name)).toBe(false);
    expect(() => checkNewNamespaceName(name)).toThrow('not a name');
  });

  it.each(['library', 'v2', 'anonymous'])('%s is reserved', (name) => {
    expect(() => checkNewNamespaceName(name)).toThrow('reserved');
  });
});
