import { once } from 'node:events';
import type { IncomingMessage, RequestListener } from 'node:http';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { loadConfig } from '../config/load-config.js';
import { httpSection } from '../config/sections.js';
import { createLogger } from '../observe/logger.js';
import type { Logger } from '../observe/logger.js';
import { createMetrics } from '../observe/metrics.js';
import type { Metrics } from '../observe/metrics.js';
import { createListener } from './listener.js';
import type { Listener } from './listener.js';

export interface StartedListener {
  readonly listener: Listener;
  readonly port: number;
  readonly origin: string;
  readonly metrics: Metrics;
  readonly logger: Logger;
  /** What was logged, one JSON line each. */
  readonly lines: string[];
}

/** A listener on a free port with `handler` below `/v2`, stopped when the test ends. `settings` are variables without `ENTREPOT_HTTP_`. */
export async function startListener(
  handler: RequestListener,
  settings: Readonly<Record<string, string>> = {},
  isReady?: () => boolean,
): Promise<StartedListener> {
  const variables = Object.entries({ PORT: '0', SECRET: 'qN3vX8zL1mB6cR0yT5wK9eJ2hG7fD4sA', ...settings });
  const environment = Object.fromEntries(variables.map(([name, value]) => [`ENTREPOT_HTTP_${name}`, value]));
  const { http } = loadConfig([httpSection], { environment });
  const lines: string[] = [];
  const destination = { write: (line: string) => void lines.push(line) };
  const logger = createLogger({ level: 'debug', format: 'json' }, { service: 'test', destination });
  const metrics = createMetrics();
  const listener = createListener({ config: http, logger, metrics, ...(isReady === undefined ? {} : { isReady }) });
  const headers = { 'Docker-Distribution-Api-Version': 'registry/2.0' };
  listener.mount('/v2', handler, { service: 'registry', routes: ['base'], headers });
  const { port, origin } = await listener.listen();
  onTestFinished(() => listener.drain(0));
  return { listener, port, origin, metrics, logger, lines };
}

/** Reads a body to its end and answers with its length, as a handler that behaves. */
export const answerBodyLength: RequestListener = (request, response) => {
  readLength(request).then(
    (length) => response.end(String(length)),
    () => response.destroy(),
  );
};

async function readLength(request: IncomingMessage): Promise<number> {
  let length = 0;
  for await (const chunk of request) length += (chunk as Uint8Array).length;
  return length;
}

export interface RawAnswer {
  readonly text: string;
  readonly statuses: readonly number[];
}

/** Sends bytes as they are and collects what comes back until the server closes the connection. */
export async function sendRaw(port: number, bytes: string | Uint8Array): Promise<RawAnswer> {
  const socket = await openSocket(port);
  socket.write(bytes);
  const text = await readToEnd(socket);
  return { text, statuses: [...text.matchAll(/HTTP\/1\.1 (\d{3}) /g)].map((match) => Number(match[1])) };
}

export async function openSocket(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  // The server may close before it has read all; what it answered before is what counts.
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  return socket;
}

export async function readToEnd(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  if (!socket.closed) await new Promise((resolve) => void socket.once('close', resolve));
  return text;
}

/** Reads until what came matches `pattern`. */
export async function readUntil(socket: Socket, pattern: RegExp): Promise<string> {
  let text = '';
  return new Promise((resolve, reject) => {
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      if (pattern.test(text)) resolve(text);
    });
    socket.once('close', () => reject(new Error(`closed after ${JSON.stringify(text)}`)));
  });
}
