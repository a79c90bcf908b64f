import { Agent, request, type IncomingHttpHeaders } from 'node:http';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';

const EXCHANGE_TIMEOUT_MS = 120_000;

/** Who asks; without an account the client is anonymous. */
export interface Account {
  readonly name: string;
  readonly password: string;
}

export interface Exchange {
  readonly method: string;
  /** Path with query, or a `Location` of this registry. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | number>>;
  /** Sent with a Content-Length where it is bytes, in chunks where it comes piece by piece. */
  readonly body?: Uint8Array | AsyncIterable<Uint8Array>;
  /** Further scopes for the token, beside the repository of the path. */
  readonly scopes?: readonly string[];
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

/** A registry as one account sees it, with tokens as clients get them. */
export interface RegistryClient {
  /** Resolves with whatever status; rejects where the connection breaks. */
  send(exchange: Exchange): Promise<Answer>;
  /** A token for these scopes, from where the challenge points. */
  token(scopes: readonly string[]): Promise<string>;
  /** Closes the connections that are kept. */
  close(): void;
}

/** Opens a registry (`http://127.0.0.1:PORT`) for an account. Its tokens come from the same origin unless told otherwise. */
export function openRegistry(origin: string, account?: Account, tokenOrigin = origin): RegistryClient {
  const agent = new Agent({ keepAlive: true });
  const tokens = new Map<string, Promise<string>>();
  const token = (scopes: readonly string[]) => {
    const key = scopes.join(' ');
    const known = tokens.get(key) ?? fetchToken(tokenOrigin, scopes, account);
    tokens.set(key, known);
    // What could not be fetched is asked for again.
    known.catch(() => tokens.delete(key));
    return known;
  };
  return {
    token,
    send: async (exchange) => {
      const bearer = await token([...scopesOf(exchange), ...(exchange.scopes ?? [])]);
      return send(
        { origin, agent },
        { ...exchange, headers: { Authorization: `Bearer ${bearer}`, ...exchange.headers } },
      );
    },
    close: () => agent.destroy(),
  };
}

/** A token endpoint that answered otherwise than with a token. */
export class TokenRefused extends Error {
  override readonly name = 'TokenRefused';
  readonly status: number;
  readonly retryAfter: string | null;

  constructor(answer: Response, body: string) {
    super(`the token endpoint answered ${answer.status}: ${body}`);
    this.status = answer.status;
    this.retryAfter = answer.headers.get('retry-after');
  }
}

async function fetchToken(origin: string, scopes: readonly string[], account?: Account): Promise<string> {
  const url = new URL('/auth/token', origin);
  url.searchParams.set('service', 'entrepot');
  for (const scope of scopes) url.searchParams.append('scope', scope);
  const basic = account && Buffer.from(`${account.name}:${account.password}`).toString('base64');
  const answer = await fetch(url, {
    headers: { ...(basic !== undefined && { Authorization: `Basic ${basic}` }), Connection: 'close' },
    signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS),
  });
  if (!answer.ok) throw new TokenRefused(answer, await answer.text());
  return ((await answer.json()) as { token: string }).token;
}

/** What clients ask for: a push may create the repository, so its token cannot speak of deletion yet. */
function scopesOf({ method, path }: Exchange): string[] {
  const [, name, kind] = /^\/v2\/(.+)\/(blobs\/uploads|blobs|manifests|tags|referrers)\//.exec(path) ?? [];
  if (name === undefined) return [];
  const isDeletion = method === 'DELETE' && kind !== 'blobs/uploads';
  return [`repository:${name}:${isDeletion ? 'delete' : 'pull,push'}`];
}

async function send(target: { origin: string; agent: Agent }, exchange: Exchange): Promise<Answer> {
  const { method, path, body } = exchange;
  const length = body instanceof Uint8Array ? { 'Content-Length': body.length } : {};
  const outgoing = request(new URL(path, target.origin), {
    method,
    agent: target.agent,
    headers: { ...length, ...exchange.headers },
    signal: AbortSignal.timeout(EXCHANGE_TIMEOUT_MS),
  });
  const answered = new Promise<Answer>((resolve, reject) => {
    outgoing.on('error', reject);
    outgoing.on('response', (incoming) => {
      const { statusCode: status = 0, headers } = incoming;
      buffer(incoming).then((bytes) => resolve({ status, headers, body: bytes }), reject);
    });
  });
  // An answer may come before the body was read to its end; what then becomes of the body says nothing.
  if (body === undefined || body instanceof Uint8Array) outgoing.end(body);
  else pipeline(body, outgoing).catch(() => {});
  return answered;
}
