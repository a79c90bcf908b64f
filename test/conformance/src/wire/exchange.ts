import http from 'node:http';
import https from 'node:https';
import { gunzipSync } from 'node:zlib';

/** One request as it goes on the wire. A header with several values is sent as several header lines. */
export interface WireRequest {
  readonly method: string;
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly body?: Buffer;
  /** Sends the body in HTTP chunks and no Content-Length, as clients do that stream. */
  readonly isChunked?: boolean;
}

/** A whole answer. Header names are lower case; `url` is where the request was sent first. */
export interface WireReply {
  readonly method: string;
  readonly url: URL;
  readonly status: number;
  readonly headers: Readonly<Record<string, readonly string[] | undefined>>;
  readonly body: Buffer;
}

/** Sends one request, follows redirects, and rejects only when no answer came. */
export type Exchange = (request: WireRequest) => Promise<WireReply>;

const idleTimeoutMs = 60_000;
const maxRedirects = 10;
const methodsWithBody: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH']);

/** An exchange with connections of its own, kept open between requests. */
export function createExchange(): Exchange {
  const agents = { http: new http.Agent({ keepAlive: true }), https: new https.Agent({ keepAlive: true }) };
  return async (request) => {
    let current = request;
    for (let hop = 0; hop <= maxRedirects; hop += 1) {
      const reply = await exchangeOnce(agents, current);
      const next = redirected(current, reply);
      if (next === undefined) return { ...reply, method: request.method, url: request.url };
      current = next;
    }
    throw new Error(`${request.method} ${request.url.pathname}: more than ${maxRedirects} redirects`);
  };
}

type Agents = { readonly http: http.Agent; readonly https: https.Agent };

async function exchangeOnce(agents: Agents, request: WireRequest): Promise<WireReply> {
  try {
    return await send(agents, request);
  } catch (error) {
    // The server may close an idle connection just as it is used again; that is not an answer.
    if (error instanceof StaleConnection) return send(agents, request);
    throw error;
  }
}

class StaleConnection extends Error {}

function send(agents: Agents, request: WireRequest): Promise<WireReply> {
  const isSecure = request.url.protocol === 'https:';
  const options = { method: request.method, headers: wireHeaders(request), timeout: idleTimeoutMs };
  return new Promise((resolve, reject) => {
    const outgoing = isSecure
      ? https.request(request.url, { ...options, agent: agents.https })
      : http.request(request.url, { ...options, agent: agents.http });
    let isAnswered = false;
    outgoing.on('response', (incoming) => {
      isAnswered = true;
      readReply(request, incoming).then(resolve, reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer within ${idleTimeoutMs} ms`)));
    outgoing.on('error', (error: NodeJS.ErrnoException) => {
      // A registry may answer and close before it has read the whole body: the answer counts.
      if (isAnswered) return;
      const isStale = outgoing.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
      reject(isStale ? new StaleConnection(error.message) : error);
    });
    outgoing.end(request.body);
  });
}

function wireHeaders(request: WireRequest): http.OutgoingHttpHeaders {
  const headers: http.OutgoingHttpHeaders = { 'User-Agent': 'entrepot-conformance' };
  for (const [name, value] of Object.entries(request.headers ?? {})) {
    headers[name] = typeof value === 'string' ? value : [...value];
  }
  // Go's client asks for gzip by itself, except on HEAD and on ranges.
  if (request.method !== 'HEAD' && headers['Range'] === undefined) headers['Accept-Encoding'] = 'gzip';
  if (request.isChunked === true) headers['Transfer-Encoding'] = 'chunked';
  else if (request.body !== undefined) headers['Content-Length'] = request.body.length;
  else if (methodsWithBody.has(request.method)) headers['Content-Length'] = 0;
  return headers;
}

async function readReply(request: WireRequest, incoming: http.IncomingMessage): Promise<WireReply> {
  const parts: Buffer[] = [];
  for await (const part of incoming) parts.push(part as Buffer);
  const received = { method: request.method, url: request.url, status: incoming.statusCode ?? 0 };
  const headers = { ...incoming.headersDistinct };
  const body = Buffer.concat(parts);
  if (headers['content-encoding']?.[0] !== 'gzip' || body.length === 0) return { ...received, headers, body };
  // Go unpacks what it asked for and forgets the length, so a later look at Content-Length fails.
  delete headers['content-length'];
  return { ...received, headers, body: gunzipSync(body) };
}

/** The request that a redirect asks for, or undefined where the reply is final. */
function redirected(request: WireRequest, reply: WireReply): WireRequest | undefined {
  const location = reply.headers['location']?.[0];
  if (location === undefined || ![301, 302, 303, 307, 308].includes(reply.status)) return undefined;
  const url = new URL(location, request.url);
  const headers = { ...request.headers };
  // Credentials never follow to another host.
  if (url.host !== request.url.host) delete headers['Authorization'];
  if (reply.status >= 307) return { ...request, url, headers };
  return { method: request.method === 'HEAD' ? 'HEAD' : 'GET', url, headers };
}
