import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { RegistryError } from '@entrepot/oci';
import { activeResponse } from './connections.js';

const TLS_HANDSHAKE_RECORD = 0x16;

interface ClientError extends Error {
  readonly code?: string;
  readonly rawPacket?: Uint8Array;
}

const REFUSALS: Readonly<Record<string, readonly [status: number, message: string]>> = {
  HPE_HEADER_OVERFLOW: [431, 'the headers of the request are too large'],
  HPE_CHUNK_EXTENSIONS_OVERFLOW: [413, 'the chunk extensions of the body are too large'],
  ERR_HTTP_REQUEST_TIMEOUT: [408, 'the headers of the request took too long'],
};

/**
 * Answers bytes that are no HTTP request, once, and closes the connection. While an earlier request of the connection is being
 * answered its answer is the last: a second one could be taken for the answer to a request that was smuggled in.
 */
export function answerClientError(error: ClientError, socket: Socket): void {
  const running = activeResponse(socket);
  if (!socket.writable || running?.headersSent === true) {
    if (running?.req.complete === true) running.once('close', () => socket.destroySoon());
    else socket.destroySoon();
    return;
  }
  if (running?.req.complete === true) {
    running.shouldKeepAlive = false;
    return;
  }
  const [status, message] = describeRefusal(error);
  socket.end(renderAnswer(status, message), () => socket.destroy());
}

/** Answers CONNECT, which Node would cut off without a word. */
export function answerTunnelRequest(socket: Duplex): void {
  // Node has let go of this socket: nobody else would hear that the client reset it.
  socket.on('error', () => socket.destroy());
  socket.end(renderAnswer(405, 'this is not a proxy'), () => socket.destroy());
}

function describeRefusal(error: ClientError): readonly [status: number, message: string] {
  if (error.rawPacket?.[0] === TLS_HANDSHAKE_RECORD)
    return [400, 'this port speaks plain HTTP, and the client started TLS'];
  return REFUSALS[error.code ?? ''] ?? [400, 'the request is malformed'];
}

function renderAnswer(status: number, message: string): string {
  const body = JSON.stringify(new RegistryError('UNSUPPORTED', { message }).toBody());
  const head = [
    `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  return `${head.join('\r\n')}\r\n\r\n${body}`;
}
