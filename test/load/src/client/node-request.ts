import { type Agent, type IncomingMessage, request } from 'node:http';
import { pipeline } from 'node:stream/promises';

/** What one request of a large body says, either way. */
export interface LargeExchange {
  readonly method: 'GET' | 'PATCH';
  readonly url: URL;
  readonly token: string;
  readonly agent: Agent;
  readonly body?: { readonly sizeBytes: number; readonly pieces: Iterable<Buffer> };
}

/** What came back; the body was counted and thrown away. */
export interface LargeAnswer {
  readonly status: number;
  readonly location: string | undefined;
  readonly receivedBytes: number;
}

/** Sends and takes bodies piece by piece, for what is too large to be held by a client of many. */
export async function exchangeLarge({ method, url, token, agent, body }: LargeExchange): Promise<LargeAnswer> {
  const headers = {
    Authorization: `Bearer ${token}`,
    ...(body && { 'Content-Type': 'application/octet-stream', 'Content-Length': body.sizeBytes }),
  };
  const outgoing = request(url, { method, agent, headers });
  const answered = new Promise<IncomingMessage>((resolve, reject) => {
    outgoing.once('response', resolve).once('error', reject);
  });
  // An answer may come before the body was sent; what then becomes of the body says nothing.
  if (body) pipeline(body.pieces, outgoing).catch(() => undefined);
  else outgoing.end();
  const answer = await answered;
  let receivedBytes = 0;
  for await (const chunk of answer as AsyncIterable<Buffer>) receivedBytes += chunk.length;
  return { status: answer.statusCode ?? 0, location: answer.headers.location, receivedBytes };
}
