import { once } from 'node:events';
import { Agent, createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { countedRule, isMatch, type Fault, type FaultRule, type RequestMatch } from './fault.js';
import { forward, type Exchange } from './forward.js';

export type { Fault, FaultRule, RequestMatch } from './fault.js';

/** A request as the proxy saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path and query. */
  readonly url: string;
  /** What it met, if anything. */
  readonly fault: Fault['kind'] | undefined;
}

/** Stands before a server and passes everything on as it came (a signature stays right), but for the faults asked for. */
export interface FaultProxy {
  /** Origin to use in place of the server's. */
  readonly origin: string;
  /** Every request so far, in the order of their heads. */
  readonly seen: readonly SeenRequest[];
  /** Adds a rule; the function that is returned takes it away. */
  add(rule: FaultRule): () => void;
  /** Takes all rules away and lets go of what they hold. */
  clear(): void;
  /** How many requests were seen. */
  count(match?: RequestMatch): number;
  close(): Promise<void>;
}

/** Starts a proxy on a free loopback port before the server at `origin` (`http://127.0.0.1:PORT`). */
export async function startFaultProxy(origin: string): Promise<FaultProxy> {
  const agent = new Agent({ keepAlive: true });
  const seen: SeenRequest[] = [];
  const rules = new Set<ReturnType<typeof countedRule>>();
  const held = new Set<IncomingMessage>();
  const server = createServer({ requestTimeout: 0, keepAliveTimeout: 60_000 }, (request, response) => {
    const asked = { method: request.method ?? '', url: request.url ?? '' };
    let fault: Fault | undefined;
    for (const meets of rules) fault ??= meets(asked);
    seen.push({ ...asked, fault: fault?.kind });
    if (fault?.kind === 'stall') holdUntilClosed(held, request);
    const exchange = { request, response, target: { origin, agent } };
    meet(exchange, fault).catch(() => reset(request));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const letGo = () => {
    rules.clear();
    held.forEach(reset);
  };
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    add: (rule) => {
      const meets = countedRule(rule);
      rules.add(meets);
      return () => void rules.delete(meets);
    },
    clear: letGo,
    count: (match = {}) => seen.filter((one) => isMatch(match, one)).length,
    close: async () => {
      letGo();
      agent.destroy();
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function meet(exchange: Exchange, fault: Fault | undefined): Promise<void> {
  const { request, response } = exchange;
  switch (fault?.kind) {
    case undefined:
      return forward(exchange);
    case 'delay':
      await delay(fault.delayMs);
      return forward(exchange);
    case 'refuse':
      return reset(request);
    case 'answer':
      return answerError(request, response, fault);
    default:
      return forward(exchange, fault);
  }
}

function answerError(
  request: IncomingMessage,
  response: ServerResponse,
  { status, code }: { status: number; code: string },
): void {
  request.resume();
  const text = `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code><Message>asked for</Message></Error>`;
  response.writeHead(status, { 'Content-Type': 'application/xml', 'Content-Length': Buffer.byteLength(text) });
  // Answers to HEAD have no body; then the status is all that a client learns.
  response.end(request.method === 'HEAD' ? undefined : text);
}

function reset(request: IncomingMessage): void {
  // Null where the client was the first to go, whatever the types say.
  request.socket?.resetAndDestroy();
}

function holdUntilClosed(held: Set<IncomingMessage>, request: IncomingMessage): void {
  held.add(request);
  request.socket.once('close', () => held.delete(request));
}
