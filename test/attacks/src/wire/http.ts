import { Agent, request } from 'node:http';
import type { IncomingHttpHeaders, IncomingMessage, OutgoingHttpHeaders } from 'node:http';
import { refuseFault } from './faults.js';

export interface Ask {
  readonly method?: string;
  /** Sent as it is. */
  readonly path: string;
  readonly headers?: OutgoingHttpHeaders;
  readonly body?: string | Uint8Array;
  /** Source address in 127.0.0.0/8: limits by address count there. */
  readonly localAddress?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly bytes: Buffer;
}

const HANG_MS = 30_000;
const agent = new Agent({ keepAlive: true, maxSockets: 64 });

/**
 * Sends a request to a loopback port. Rejects where there is no answer within 30 s, and where the answer is a fault of
 * the server: no client's doing may lead to a 5xx or show a stack trace.
 */
export async function sendHttp(port: number, ask: Ask): Promise<Answer> {
  const answer = await exchange(port, ask);
  refuseFault(`${ask.method ?? 'GET'} ${ask.path}`, answer.status, answer.text);
  return answer;
}

function exchange(port: number, { method = 'GET', path, headers = {}, body, localAddress }: Ask): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const length = body === undefined ? {} : { 'Content-Length': Buffer.byteLength(body) };
    const options = {
      agent,
      host: '127.0.0.1',
      port,
      method,
      path,
      headers: { ...length, ...headers },
      timeout: HANG_MS,
      ...(localAddress !== undefined && { localAddress }),
    };
    const outgoing = request(options, (response) => {
      readAnswer(response).then(resolve, reject);
    });
    outgoing.on('timeout', () => outgoing.destroy(new Error(`no answer to ${method} ${path} in ${HANG_MS} ms`)));
    // After an early refusal the rest of the body meets a closed connection; the answer is what counts.
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

async function readAnswer(response: IncomingMessage): Promise<Answer> {
  const chunks: Buffer[] = [];
  for await (const chunk of response) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  return { status: response.statusCode ?? 0, headers: response.headers, bytes, text: bytes.toString('utf8') };
}

/** The JSON of an answer. */
export function jsonOf<T>(answer: Answer): T {
  return JSON.parse(answer.text) as T;
}

/** The error code of a refusal in the JSON of the distribution API; undefined where it is none. */
export function codeOf(answer: Answer): string | undefined {
  if (answer.headers['content-type'] !== 'application/json' || answer.text === '') return undefined;
  return jsonOf<{ errors?: { code: string }[] }>(answer).errors?.[0]?.code;
}

/** What an attacker may compare two refusals by: status, headers without those that always differ, and the body. */
export function lookOf({ status, headers, text }: Answer): object {
  const { date: _date, 'x-request-id': _id, ...others } = headers;
  return { status, headers: others, text };
}
