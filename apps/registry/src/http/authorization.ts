import type { MethodOf, RepositoryName, RouteMatch, RouteName } from '@entrepot/oci';

/** What a request needs: an action on the repository of its path, the catalog, or no more than to be someone. */
export type Demand = 'pull' | 'push' | 'delete' | 'catalog' | 'identity';

/**
 * Who may do what: each route and method of the distribution API with what it demands. There is no other place where
 * this is decided, and no entry means no access.
 */
export const AUTHORIZATION = {
  base: { GET: 'identity', HEAD: 'identity' },
  catalog: { GET: 'catalog', HEAD: 'catalog' },
  tags: { GET: 'pull', HEAD: 'pull' },
  referrers: { GET: 'pull', HEAD: 'pull' },
  manifest: { GET: 'pull', HEAD: 'pull', PUT: 'push', DELETE: 'delete' },
  blob: { GET: 'pull', HEAD: 'pull', DELETE: 'delete' },
  uploads: { POST: 'push' },
  upload: { GET: 'push', HEAD: 'push', PATCH: 'push', PUT: 'push', DELETE: 'push' },
} as const satisfies { readonly [R in RouteName]: Readonly<Record<MethodOf<R>, Demand>> };

/** What the matched request demands; undefined denies it. */
export function demandOf(match: RouteMatch): Demand | undefined {
  const methods: Readonly<Record<string, Demand>> = AUTHORIZATION[match.route];
  return methods[match.method];
}

/** The scope to ask the token issuer for, as the challenge names it; undefined where none is needed. */
export function scopeOf(match: RouteMatch, mountFrom: RepositoryName | undefined): string | undefined {
  const demand = demandOf(match);
  if (demand === 'catalog') return 'registry:catalog:*';
  if (!('name' in match) || demand === undefined) return undefined;
  const actions = demand === 'push' ? 'pull,push' : demand;
  const own = `repository:${match.name}:${actions}`;
  if (mountFrom !== undefined) return `${own} repository:${mountFrom}:pull`;
  // A client that keeps this token will mount with it later, from repositories that it cannot name yet.
  return match.route === 'uploads' ? `${own} registry:mount:pull` : own;
}
