import { connect, type Socket } from 'node:net';
import { type Answer, parseAnswer } from './parse-answer.js';

/** What one request says. The path holds the query; `Host` and `Content-Length` are added. */
export interface Exchange {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Buffer;
}

/** A persistent HTTP/1.1 connection for one request at a time; it is reopened where the server closed it. */
export interface Connection {
  /** Sends one request and gives the whole answer, whatever its status. */
  exchange(request: Exchange): Promise<Answer>;
  /** The same for a request that `encodeRequest` has already put into bytes. */
  exchangeEncoded(request: Buffer, hasBody: boolean): Promise<Answer>;
  close(): void;
}

interface Waiting {
  readonly hasBody: boolean;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (cause: Error) => void;
}

/**
 * Opens nothing until the first exchange. It writes bytes to a bare socket, because what a general HTTP client spends
 * on each request would be taken from the two cores that the server under test shares with it.
 */
export function createConnection(origin: string): Connection {
  const { hostname, port, host } = new URL(origin);
  let socket: Socket | undefined;
  let received: Buffer = Buffer.alloc(0);
  let waiting: Waiting | undefined;

  function settle(act: (waiting: Waiting) => void): void {
    const current = waiting;
    waiting = undefined;
    if (current) act(current);
  }

  function receive(chunk: Buffer): void {
    received = received.length === 0 ? chunk : Buffer.concat([received, chunk]);
    try {
      const parsed = waiting && parseAnswer(received, waiting.hasBody);
      if (!parsed) return;
      received = received.subarray(parsed.sizeBytes);
      if (parsed.answer.headers.get('connection') === 'close') drop();
      settle(({ resolve }) => resolve(parsed.answer));
    } catch (cause) {
      drop();
      settle(({ reject }) => reject(cause as Error));
    }
  }

  function drop(): void {
    socket?.destroy();
    socket = undefined;
    received = Buffer.alloc(0);
  }

  function open(): Socket {
    const opened = connect({ host: hostname, port: Number(port), noDelay: true });
    opened.on('data', receive);
    opened.on('error', (cause) => settle(({ reject }) => reject(cause)));
    opened.on('close', () => {
      if (socket === opened) drop();
      settle(({ reject }) => reject(new Error(`${host} closed the connection in the middle of an exchange`)));
    });
    return opened;
  }

  function exchangeEncoded(request: Buffer, hasBody: boolean): Promise<Answer> {
    return new Promise((resolve, reject) => {
      waiting = { hasBody, resolve, reject };
      socket ??= open();
      socket.write(request);
    });
  }

  return {
    exchangeEncoded,
    exchange: (request) => exchangeEncoded(encodeRequest(host, request), request.method !== 'HEAD'),
    close: drop,
  };
}

/** The bytes of a request; a body is framed by Content-Length, and so is its absence where the method expects one. */
export function encodeRequest(host: string, { method, path, headers = {}, body }: Exchange): Buffer {
  const lines = [`${method} ${path} HTTP/1.1`, `Host: ${host}`];
  for (const [name, value] of Object.entries(headers)) lines.push(`${name}: ${value}`);
  if (body || method === 'POST' || method === 'PUT' || method === 'PATCH') {
    if (!('Transfer-Encoding' in headers)) lines.push(`Content-Length: ${body?.length ?? 0}`);
  }
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  return body ? Buffer.concat([head, body]) : head;
}
