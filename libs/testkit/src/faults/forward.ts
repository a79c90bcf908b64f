import { request as open, type Agent, type IncomingMessage, type ServerResponse } from 'node:http';
import { once } from 'node:events';
import type { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { BodyOf, Fault } from './fault.js';
import { actAfter, flipBit, keepFirst, throttle } from './fault-streams.js';

export interface Exchange {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly target: { readonly origin: string; readonly agent: Agent };
}

type PassedOn = Exclude<Fault, { kind: 'delay' | 'refuse' | 'answer' }>;

/** Passes a request and its answer on, byte for byte but for the fault. Rejects where either connection breaks. */
export async function forward({ request, response, target }: Exchange, fault?: PassedOn): Promise<void> {
  const outgoing = open(new URL(request.url ?? '/', target.origin), {
    method: request.method ?? 'GET',
    agent: target.agent,
    // As they came, in their order and with their Host: this is what the client signed.
    headers: request.rawHeaders,
    setDefaultHeaders: false,
  });
  const breakBoth = () => {
    outgoing.destroy();
    request.socket.resetAndDestroy();
  };
  response.once('close', () => {
    if (!response.writableFinished) outgoing.destroy();
  });
  const answered = once(outgoing, 'response') as Promise<[IncomingMessage]>;
  const sent = pipeline([request, ...changesOf('request', { fault, breakBoth }), outgoing]);
  // A server may answer before it read the body to its end; what then becomes of the body says nothing.
  sent.catch(() => {});
  const [incoming] = await Promise.race([answered, sent.then(() => answered)]);
  if (fault?.kind === 'dropAnswer') {
    for await (const chunk of incoming) void chunk;
    return void breakBoth();
  }
  const close = () => request.socket.destroySoon();
  await passAnswer(incoming, response, { fault, breakBoth, close });
}

interface Breaking {
  readonly fault: PassedOn | undefined;
  readonly breakBoth: () => void;
}

async function passAnswer(
  incoming: IncomingMessage,
  response: ServerResponse,
  { fault, breakBoth, close }: Breaking & { close: () => void },
): Promise<void> {
  const { statusCode = 502, statusMessage = '', rawHeaders } = incoming;
  response.sendDate = false;
  const changes = changesOf('answer', { fault, breakBoth });
  const headers = [...rawHeaders];
  if (fault?.kind === 'truncate') changes.push(actAfter(fault.afterBytes, close));
  if (fault?.kind === 'length') {
    const length = Number(incoming.headers['content-length']) + fault.deltaBytes;
    const place = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === 'content-length');
    headers[place + 1] = String(length);
    changes.push(fault.deltaBytes < 0 ? keepFirst(length) : actAfter(length, close));
  }
  response.writeHead(statusCode, statusMessage, headers);
  await pipeline([incoming, ...changes, response]);
}

/** What becomes of one of the bodies. */
function changesOf(body: BodyOf, { fault, breakBoth }: Breaking): Transform[] {
  if (fault?.kind === 'throttle') return [throttle(fault.bytesPerSecond)];
  if (fault === undefined || !('body' in fault) || fault.body !== body) return [];
  if (fault.kind === 'flip') return [flipBit(fault.atByte)];
  return [actAfter(fault.afterBytes, fault.kind === 'reset' ? breakBoth : () => {})];
}
