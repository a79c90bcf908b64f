import { describe, expect, it } from 'vitest';
import { basicChallenge, bearerChallenge } from './bearer-challenge.js';

const realm = 'https://registry.example/auth/token';

describe('bearerChallenge', () => {
  it('names realm and service', () => {
    expect(bearerChallenge({ realm, service: 'entrepot' })).toBe(`Bearer realm="${realm}",service="entrepot"`);
  });

  it('holds several scopes in one quoted value, and the error', () => {
    const scope = 'repository:a/b:pull,push repository:c/d:pull';
    expect(bearerChallenge({ realm, service: 'entrepot', scope, error: 'insufficient_scope' })).toBe(
      `Bearer realm="${realm}",service="entrepot",scope="${scope}",error="insufficient_scope"`,
    );
  });

  it('escapes what would end a quoted string', () => {
    expect(bearerChallenge({ realm: 'a"b\\c', service: 's' })).toBe('Bearer realm="a\\"b\\\\c",service="s"');
    expect(basicChallenge('entrepot')).toBe('Basic realm="entrepot", charset="UTF-8"');
  });
});
