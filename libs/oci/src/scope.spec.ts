import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_SCOPE_LIMITS, formatScope, parseScopes } from './scope.js';
import { itIsTotal } from './total-parser.suite.js';

const app = { type: 'repository', name: 'acme/app', repository: 'acme/app' };

const scopes = (count: number) => Array.from({ length: count }, (_, index) => `repository:a/r${index}:pull`);

describe('parseScopes', () => {
  it.each([
    ['repository:acme/app:pull', [{ ...app, actions: ['pull'] }]],
    ['repository:acme/app:pull,push,delete', [{ ...app, actions: ['pull', 'push', 'delete'] }]],
    ['repository:acme/app:*', [{ ...app, actions: ['*'] }]],
    ['repository(plugin):acme/app:pull', [{ ...app, class: 'plugin', actions: ['pull'] }]],
    [
      'repository:hello:pull',
      [{ type: 'repository', name: 'library/hello', repository: 'library/hello', actions: ['pull'] }],
    ],
    ['registry:catalog:*', [{ type: 'registry', name: 'catalog', actions: ['*'] }]],
    ['registry:catalog:search', [{ type: 'registry', name: 'catalog', actions: ['search'] }]],
    ['future:thing/x:fly', [{ type: 'future', name: 'thing/x', actions: ['fly'] }]],
    ['', []],
    ['   ', []],
  ])('reads %j', (value, scopes) => {
    expect(parseScopes([value])).toEqual(scopes);
  });

  it('trap 18 reads several scopes in one value and in several, and joins those of one resource', () => {
    const expected = [
      { ...app, actions: ['pull', 'push'] },
      { type: 'repository', name: 'acme/base', repository: 'acme/base', actions: ['pull'] },
    ];
    expect(parseScopes(['repository:acme/app:pull,push repository:acme/base:pull'])).toEqual(expected);
    expect(
      parseScopes(['repository:acme/app:pull', 'repository:acme/base:pull', 'repository:acme/app:push,pull']),
    ).toEqual(expected);
    expect(parseScopes(['repository:hello:pull', 'repository:library/hello:push'])).toHaveLength(1);
  });

  it('trap 18 reads a name with a port, which is no repository here', () => {
    expect(parseScopes(['repository:registry.example:443/team/app:push,pull'])).toEqual([
      { type: 'repository', name: 'registry.example:443/team/app', actions: ['push', 'pull'] },
    ]);
  });

  it.each([
    'repository',
    'repository:acme/app',
    ':acme/app:pull',
    'repository::pull',
    'repository:acme/app:',
    'repository:acme/app:,',
    'repository:acme/app:PULL',
    'repository:acme/app/../../globex/secret:pull',
    'repository:ACME/app:pull',
    'repository:acmé/app:pull',
    'repository:acme//app:pull',
    'repository:host:443/ACME:pull',
    'repository:host:port/app:pull',
    'repository(:acme/app:pull',
    'repository():acme/app:pull',
    'Repository:acme/app:pull',
    'registry:cat alog:*',
    'registry:<script>:*',
    '\u0000:\u0000:pull',
  ])('B-09 leaves out %j', (value) => {
    expect(parseScopes([value]).every(({ repository }) => repository === undefined)).toBe(true);
    expect(parseScopes([value, 'repository:acme/app:pull'])).toContainEqual({ ...app, actions: ['pull'] });
  });

  it('leaves out only the actions that are none', () => {
    expect(parseScopes(['repository:acme/app:pull,,PUSH,*'])).toEqual([{ ...app, actions: ['pull', '*'] }]);
  });

  it('B-09 caps count and length', () => {
    const { maxScopes, maxLength } = DEFAULT_SCOPE_LIMITS;
    expect(parseScopes(scopes(maxScopes))).toHaveLength(maxScopes);
    for (const values of [scopes(maxScopes + 1), [scopes(1000).join(' ')], ['x'.repeat(maxLength + 1)]]) {
      expect(() => parseScopes(values)).toThrow(expect.objectContaining({ code: 'UNSUPPORTED', status: 400 }));
    }
  });

  it('reads back what it writes', () => {
    const scope = fc.tuple(
      fc.constantFrom('repository:a/b', 'repository(plugin):a/b', 'registry:catalog', 'repository:h:443/a/b'),
      fc.uniqueArray(fc.constantFrom('pull', 'push', 'delete', '*'), { minLength: 1 }),
    );
    fc.assert(
      fc.property(fc.uniqueArray(scope, { selector: ([resource]) => resource }), (pairs) => {
        const texts = pairs.map(([resource, actions]) => `${resource}:${actions.join(',')}`);
        expect(parseScopes([texts.join(' ')]).map(formatScope)).toEqual(texts);
      }),
    );
  });

  itIsTotal(
    (text) => parseScopes([text, text]),
    fc.string().map((text) => `repository:${text}:pull`),
  );
});
