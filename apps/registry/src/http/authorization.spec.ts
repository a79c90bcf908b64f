import { ROUTES, matchRoute, parseRepositoryName } from '@entrepot/oci';
import { describe, expect, it } from 'vitest';
import { AUTHORIZATION, demandOf, scopeOf } from './authorization.js';

const digest = `sha256:${'a'.repeat(64)}`;

describe('AUTHORIZATION', () => {
  it('names every route and method of the distribution API, and nothing else', () => {
    const routes = Object.fromEntries(ROUTES.map(({ route, methods }) => [route, [...methods].sort()]));
    const table = Object.fromEntries(
      Object.entries(AUTHORIZATION).map(([route, methods]) => [route, Object.keys(methods).sort()]),
    );
    expect(table).toEqual(routes);
  });

  it.each([
    ['GET', '/v2/', 'identity', undefined],
    ['GET', '/v2/_catalog', 'catalog', 'registry:catalog:*'],
    ['HEAD', '/v2/a/b/manifests/1', 'pull', 'repository:a/b:pull'],
    ['PUT', '/v2/a/b/manifests/1', 'push', 'repository:a/b:pull,push'],
    ['DELETE', '/v2/a/b/manifests/1', 'delete', 'repository:a/b:delete'],
    ['GET', `/v2/hello/blobs/${digest}`, 'pull', 'repository:library/hello:pull'],
    ['GET', `/v2/a/b/referrers/${digest}`, 'pull', 'repository:a/b:pull'],
    ['POST', '/v2/a/b/blobs/uploads/', 'push', 'repository:a/b:pull,push registry:mount:pull'],
    ['GET', '/v2/a/b/blobs/uploads/x', 'push', 'repository:a/b:pull,push'],
    ['DELETE', '/v2/a/b/blobs/uploads/x', 'push', 'repository:a/b:pull,push'],
  ])('B-08: %s %s demands %s', (method, url, demand, scope) => {
    const match = matchRoute(method, url);
    expect(demandOf(match)).toBe(demand);
    expect(scopeOf(match, undefined)).toBe(scope);
  });

  it('asks for the source of a mount by its name', () => {
    const match = matchRoute('POST', '/v2/a/b/blobs/uploads/?mount=x&from=c/d');
    expect(scopeOf(match, parseRepositoryName('c/d'))).toBe('repository:a/b:pull,push repository:c/d:pull');
  });
});
