import { Secret } from '../config/secret.js';

export interface RedisNode {
  readonly host: string;
  readonly port: number;
}

interface Credentials {
  readonly username: string | undefined;
  readonly password: Secret | undefined;
}

/** Where a Redis is, and how to log in to it. */
export interface RedisAddress extends Credentials {
  /** One server; the server that Sentinels name; a Cluster that its nodes describe. */
  readonly form: 'single' | 'sentinel' | 'cluster';
  /** The server, the Sentinels, or some nodes of the Cluster. */
  readonly nodes: readonly [RedisNode, ...RedisNode[]];
  readonly isTls: boolean;
  readonly database: number;
  /** What the Sentinels call the server; with `sentinel` only. */
  readonly masterName: string;
  /** How to log in to the Sentinels. */
  readonly sentinel: Credentials;
}

const FORMS = 'redis://, redis+sentinel:// or redis+cluster:// (rediss… for TLS)';
const ADDRESS =
  /^(?<scheme>rediss?)(?:\+(?<form>sentinel|cluster))?:\/\/(?:(?<login>[^/?#]*)@)?(?<nodes>[^/?#@]+)(?:\/(?<path>[^?#]*))?(?:\?(?<query>[^#]*))?$/;
const DEFAULT_PORTS = { single: 6379, sentinel: 26_379, cluster: 6379 } as const;
const SENTINEL_PARAMETERS = ['sentinelUsername', 'sentinelPassword'];
const NOBODY: Credentials = { username: undefined, password: undefined };

/**
 * Reads an address, of one of the forms
 *
 * - `redis://[user:password@]host[:port][/database]`
 * - `redis+sentinel://[user:password@]host[:port],…/master[/database][?sentinelUsername=…&sentinelPassword=…]`
 * - `redis+cluster://[user:password@]host[:port],…`
 *
 * with `rediss` in place of `redis` for TLS; user, password and names are percent-encoded. Returns what is wrong with it
 * otherwise, in words that hold nothing of it.
 */
export function parseRedisAddress(text: string): RedisAddress | string {
  const { scheme, form = 'single', login, nodes = '', path = '', query = '' } = ADDRESS.exec(text.trim())?.groups ?? {};
  if (scheme === undefined || !isForm(form)) return `must start with ${FORMS} and name a host`;
  const parsed = nodes.split(',').map((node) => parseNode(node, DEFAULT_PORTS[form]));
  const [first, ...others] = parsed.filter((node) => node !== undefined);
  if (first === undefined || others.length + 1 < parsed.length) return 'must name hosts as host or host:port';
  if (form === 'single' && others.length > 0) return `must name one host; several need ${FORMS}`;
  const place = parsePath(path, form);
  if (typeof place === 'string') return place;
  try {
    return {
      form,
      nodes: [first, ...others],
      isTls: scheme === 'rediss',
      ...parseLogin(login),
      ...place,
      sentinel: parseQuery(query, form),
    };
  } catch (error) {
    return error instanceof URIError ? 'holds a % that encodes nothing; write it as %25' : (error as Error).message;
  }
}

function isForm(text: string): text is RedisAddress['form'] {
  return Object.hasOwn(DEFAULT_PORTS, text);
}

/** `host`, `host:6380`, `[::1]:6380`. */
function parseNode(text: string, defaultPort: number): RedisNode | undefined {
  const { host, port = String(defaultPort) } =
    /^(?:\[(?=[^\]]+\])|(?=[^:[\]]+(?::|$)))(?<host>[0-9A-Za-z._:%-]+?)\]?(?::(?<port>\d{1,5}))?$/.exec(text)?.groups ??
    {};
  if (host === undefined || Number(port) < 1 || Number(port) > 65_535) return undefined;
  return { host, port: Number(port) };
}

function parseLogin(login: string | undefined): Credentials {
  if (login === undefined || login === '') return NOBODY;
  const [username = '', ...rest] = login.split(':');
  const password = decodeURIComponent(rest.join(':'));
  return {
    username: username === '' ? undefined : decodeURIComponent(username),
    password: password === '' ? undefined : new Secret(password),
  };
}

function parsePath(path: string, form: RedisAddress['form']): { masterName: string; database: number } | string {
  const parts = path === '' ? [] : path.split('/');
  const masterName = form === 'sentinel' ? (parts.shift() ?? '') : '';
  if (form === 'sentinel' && !/^[\w.-]+$/.test(masterName)) return 'must name the master of the Sentinels: …/mymaster';
  const [database = '0', ...more] = parts;
  if (more.length > 0 || !/^\d{1,4}$/.test(database)) return 'must end with the number of a database, or without';
  if (form === 'cluster' && Number(database) !== 0) return 'must not name a database: a Redis Cluster has only one';
  return { masterName, database: Number(database) };
}

function parseQuery(query: string, form: RedisAddress['form']): Credentials {
  const parameters = new URLSearchParams(query);
  const known = form === 'sentinel' ? SENTINEL_PARAMETERS : [];
  if ([...parameters.keys()].some((name) => !known.includes(name))) {
    throw new Error('has a parameter that is not known; sentinelUsername and sentinelPassword are, with Sentinels');
  }
  const password = parameters.get('sentinelPassword');
  return {
    username: parameters.get('sentinelUsername') ?? undefined,
    password: password === null ? undefined : new Secret(password),
  };
}
