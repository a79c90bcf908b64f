import { createExchange } from './exchange.js';
import type { WireReply, WireRequest } from './exchange.js';
import { authorize } from './token.js';
import type { TokenHabits } from './token.js';

/** A registry client: answers a challenge once, then returns whatever came. */
export interface Client {
  send(request: WireRequest): Promise<WireReply>;
}

export interface ClientHabits extends TokenHabits {
  /** Keeps each token for later requests of the same kind to the same repository; otherwise every request starts bare. */
  readonly keepsTokens: boolean;
}

/** A client with connections and tokens of its own. */
export function createClient(habits: ClientHabits): Client {
  const exchange = createExchange();
  const tokens = new Map<string, string>();
  const isSignedIn = habits.credentials.username !== '';
  return {
    async send(request) {
      const key = habits.keepsTokens && isSignedIn ? tokenKey(request) : undefined;
      const kept = key === undefined ? undefined : tokens.get(key);
      const reply = await exchange(kept === undefined ? request : withAuthorization(request, kept));
      if (reply.status !== 401) return reply;
      const authorization = await authorize(exchange, reply, habits);
      if (key !== undefined) tokens.set(key, authorization);
      return exchange(withAuthorization(request, authorization));
    },
  };
}

function withAuthorization(request: WireRequest, authorization: string): WireRequest {
  return { ...request, headers: { ...request.headers, Authorization: authorization } };
}

const repositoryPath = /^\/v2\/(.+?)\/(?:blobs\/uploads\/[^/]*|(?:blobs|manifests|tags|referrers)\/[^/]+)$/;

/**
 * Host, repository and kind of access, which is how the official runner keeps tokens. A mount is therefore sent with a
 * token that names its target only, and a Location outside `/v2/<name>/…` is an error.
 */
function tokenKey(request: WireRequest): string {
  const { host, pathname } = request.url;
  const repository = pathname === '/v2/' ? '' : repositoryPath.exec(pathname)?.[1];
  if (repository === undefined) throw new Error(`${pathname} does not name a repository`);
  return `${host} ${repository} ${accessOf(request.method)}`;
}

function accessOf(method: string): string {
  switch (method) {
    case 'GET':
    case 'HEAD':
      return 'pull';
    case 'POST':
    case 'PATCH':
    case 'PUT':
      return 'push';
    default:
      return method;
  }
}
