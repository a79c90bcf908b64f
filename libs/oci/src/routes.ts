import { parseDigest, type Digest } from './digest.js';
import { RegistryError } from './errors.js';
import { parseReference, type Reference } from './reference.js';
import { parseRepositoryName, type RepositoryName } from './repository-name.js';

/** The methods that some route takes. */
export type RouteMethod = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

interface RouteRow {
  readonly route: string;
  /** `{name}` is a repository name, slashes included; the other placeholder is one segment. */
  readonly path: string;
  readonly methods: readonly RouteMethod[];
}

/**
 * The data plane, whole (distribution specification, "Endpoints", and Docker's catalog). Authorization is a table over
 * these rows: `{ [R in RouteName]: Record<MethodOf<R>, Action> }`.
 */
export const ROUTES = [
  { route: 'manifest', path: '/v2/{name}/manifests/{reference}', methods: ['GET', 'HEAD', 'PUT', 'DELETE'] },
  { route: 'blob', path: '/v2/{name}/blobs/{digest}', methods: ['GET', 'HEAD', 'DELETE'] },
  { route: 'upload', path: '/v2/{name}/blobs/uploads/{uploadId}', methods: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'] },
  { route: 'uploads', path: '/v2/{name}/blobs/uploads/', methods: ['POST'] },
  { route: 'tags', path: '/v2/{name}/tags/list', methods: ['GET', 'HEAD'] },
  { route: 'referrers', path: '/v2/{name}/referrers/{digest}', methods: ['GET', 'HEAD'] },
  { route: 'catalog', path: '/v2/_catalog', methods: ['GET', 'HEAD'] },
  { route: 'base', path: '/v2/', methods: ['GET', 'HEAD'] },
] as const satisfies readonly RouteRow[];

export type RouteName = (typeof ROUTES)[number]['route'];

/** The methods of one route. */
export type MethodOf<R extends RouteName> = Extract<(typeof ROUTES)[number], { route: R }>['methods'][number];

interface Matched<R extends RouteName> {
  readonly route: R;
  readonly method: RouteMethod;
  /** What follows the question mark, undecoded; empty without one. */
  readonly query: string;
}

/** What a request is about. Names are canonical, digests and tags are checked. */
export type RouteMatch =
  | Matched<'base'>
  | Matched<'catalog'>
  | (Matched<'tags'> & { readonly name: RepositoryName })
  | (Matched<'manifest'> & { readonly name: RepositoryName; readonly reference: Reference })
  | (Matched<'blob'> & { readonly name: RepositoryName; readonly digest: Digest })
  | (Matched<'uploads'> & { readonly name: RepositoryName })
  | (Matched<'upload'> & { readonly name: RepositoryName; readonly uploadId: string })
  | (Matched<'referrers'> & { readonly name: RepositoryName; readonly digest: Digest });

/** The target of a request, cut at its question mark. */
export interface RequestTarget {
  readonly path: string;
  readonly query: string;
}

/** Longest request target, the query included. */
export const MAX_URL_LENGTH = 8192;

const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;
const UPLOAD_ID = /^[A-Za-z0-9_-]{1,128}$/;

/** A row as the matcher reads it: the fixed text between the name and the last segment, or a whole fixed path. */
const COMPILED = ROUTES.map((row) => {
  const [before = '', after] = row.path.split('{name}');
  const isFixed = after === undefined;
  const fixed = isFixed ? before : after.replace(/\/\{\w+\}$/, '');
  return { row, isFixed, fixed, hasValue: !isFixed && fixed !== after };
});

interface Found {
  readonly row: (typeof ROUTES)[number];
  readonly name: string;
  readonly value: string;
}

/**
 * Finds the route of a request from its undecoded target. The path is read from the right, since repository names hold
 * slashes and the words of the routes. Only `%3A`, which some proxies make of a colon, is decoded: no other spelling of
 * a path is ever taken for a route, and the grammars of the parts refuse what is left.
 * @throws RegistryError 404 or 405 UNSUPPORTED (with `Allow`), 414 SIZE_INVALID, 400 NAME_INVALID, DIGEST_INVALID,
 * TAG_INVALID, or BLOB_UPLOAD_INVALID for an upload id that cannot be one
 */
export function matchRoute(method: string, rawUrl: string): RouteMatch {
  if (rawUrl.length > MAX_URL_LENGTH) {
    throw new RegistryError('SIZE_INVALID', {
      status: 414,
      message: `the URL is longer than ${MAX_URL_LENGTH} characters`,
    });
  }
  const { path, query } = splitTarget(rawUrl);
  const found = findRoute(path.includes('%') ? path.replace(/%3a/gi, ':') : path);
  if (found === undefined) {
    throw new RegistryError('UNSUPPORTED', { status: 404, message: 'there is no such endpoint' });
  }
  if (!isMethodOf(found.row, method)) {
    throw new RegistryError('UNSUPPORTED', {
      message: 'the endpoint does not take this method',
      headers: { Allow: found.row.methods.join(', ') },
    });
  }
  return bind(found, method, query);
}

/** Cuts a request target; scheme and authority of an absolute one (RFC 9112, 3.2.2) are left out and never looked at. */
export function splitTarget(rawUrl: string): RequestTarget {
  const target = rawUrl.startsWith('/') ? rawUrl : rawUrl.replace(ABSOLUTE_FORM, '');
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark + 1) };
}

function findRoute(rawPath: string): Found | undefined {
  if (!rawPath.startsWith('/v2')) return undefined;
  const path = rawPath === '/v2' || rawPath.endsWith('/blobs/uploads') ? `${rawPath}/` : rawPath;
  const lastSlash = path.lastIndexOf('/');
  for (const { row, isFixed, fixed, hasValue } of COMPILED) {
    if (isFixed) {
      if (path === fixed) return { row, name: '', value: '' };
      continue;
    }
    const end = hasValue ? lastSlash : path.length;
    const nameEnd = end - fixed.length;
    const hasSegment = !hasValue || lastSlash < path.length - 1;
    if (hasSegment && nameEnd >= '/v2/'.length && path.startsWith('/v2/') && path.endsWith(fixed, end)) {
      return { row, name: path.slice('/v2/'.length, nameEnd), value: path.slice(end + 1) };
    }
  }
  return undefined;
}

function isMethodOf(row: RouteRow, method: string): method is RouteMethod {
  return (row.methods as readonly string[]).includes(method);
}

function bind({ row: { route }, name, value }: Found, method: RouteMethod, query: string): RouteMatch {
  switch (route) {
    case 'base':
    case 'catalog':
      return { route, method, query };
    case 'tags':
    case 'uploads':
      return { route, method, query, name: parseRepositoryName(name) };
    case 'manifest':
      return { route, method, query, name: parseRepositoryName(name), reference: parseReferenceOf(method, value) };
    case 'blob':
    case 'referrers':
      return { route, method, query, name: parseRepositoryName(name), digest: parseDigest(value) };
    case 'upload':
      return { route, method, query, name: parseRepositoryName(name), uploadId: parseUploadId(value) };
  }
}

/** What cannot be a tag is not there to be read: 404, as the suite of version 1.1.1 expects. Writing it is a mistake. */
function parseReferenceOf(method: RouteMethod, value: string): Reference {
  try {
    return parseReference(value);
  } catch (error) {
    const isRead = method === 'GET' || method === 'HEAD';
    if (!isRead || !(error instanceof RegistryError) || error.code !== 'TAG_INVALID') throw error;
    throw new RegistryError('MANIFEST_UNKNOWN', { message: error.message });
  }
}

function parseUploadId(text: string): string {
  if (UPLOAD_ID.test(text)) return text;
  throw new RegistryError('BLOB_UPLOAD_INVALID');
}
