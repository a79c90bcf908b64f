import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { refuseFault } from './faults.js';

export interface RawAnswer {
  readonly text: string;
  /** Status of each final answer on the connection, in order. */
  readonly statuses: readonly number[];
  /** The server closed the connection within the time given. */
  readonly isClosed: boolean;
}

const STATUS = /(?:^|\r\n|[^\r\n])HTTP\/1\.1 (\d{3}) /g;

/**
 * Sends bytes as they are and collects what comes back until the server closes the connection, or `waitMs` pass.
 * Rejects where an answer is a fault of the server.
 */
export async function sendRaw(
  port: number,
  bytes: string | Uint8Array,
  waitMs = 10_000,
  localAddress = '127.0.0.1',
): Promise<RawAnswer> {
  const socket = await openSocket(port, localAddress);
  socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
  return collect(socket, waitMs);
}

/** Collects what comes on the connection until it is closed, or `waitMs` pass; then it is destroyed. */
export async function collect(socket: Socket, waitMs: number): Promise<RawAnswer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk)).resume();
  const isClosed = await closedWithin(socket, waitMs);
  socket.destroy();
  const text = Buffer.concat(chunks).toString('latin1');
  const statuses = [...text.matchAll(STATUS)].map((match) => Number(match[1])).filter((status) => status >= 200);
  for (const status of statuses) refuseFault('a raw request', status, text);
  return { text, statuses, isClosed };
}

export async function openSocket(port: number, localAddress = '127.0.0.1'): Promise<Socket> {
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  await once(socket, 'connect');
  // The server may close before it has read all; what it answered before is what counts.
  socket.on('error', () => undefined);
  return socket;
}

async function closedWithin(socket: Socket, waitMs: number): Promise<boolean> {
  if (socket.closed) return true;
  let timer: NodeJS.Timeout | undefined;
  const waited = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), waitMs);
  });
  const closed = new Promise<true>((resolve) => socket.once('close', () => resolve(true)));
  const isClosed = await Promise.race([closed, waited]);
  clearTimeout(timer);
  return isClosed;
}
