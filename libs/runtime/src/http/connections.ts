import type { Server, ServerResponse } from 'node:http';
import { Server as TlsServer } from 'node:https';
import type { Socket } from 'node:net';
import { exchangeOf } from '../observe/exchange.js';

const ACTIVE = Symbol('active response');

type TrackedSocket = Socket & { [ACTIVE]?: ServerResponse | undefined };

/** The open connections of a server. */
export interface Connections {
  readonly count: number;
  /** Of all connections so far, headers included. */
  readonly receivedBytes: number;
  readonly sentBytes: number;
  /** Lets running requests finish, telling their clients not to come back on the same connection; closes the others. */
  closeIdle(): void;
  destroyAll(): void;
}

/** The answer that a connection is busy with (the newest, where the client pipelines). */
export function activeResponse(socket: Socket): ServerResponse | undefined {
  return (socket as TrackedSocket)[ACTIVE];
}

export function markActive(response: ServerResponse): void {
  // Not `response.socket`: an answer that waits for an earlier one on the same connection has none yet.
  const socket: TrackedSocket = exchangeOf(response.req).socket;
  socket[ACTIVE] = response;
}

export function markDone(response: ServerResponse): void {
  const socket: TrackedSocket = exchangeOf(response.req).socket;
  if (socket[ACTIVE] === response) socket[ACTIVE] = undefined;
}

/**
 * Tracks the connections of `server` and cuts those where no byte moved in either direction for the server's `timeout` while the
 * client was to send or to read. A request that has arrived whole and waits for its answer is the server's own work, and is not cut.
 */
export function trackConnections(server: Server): Connections {
  const below = new Set<Socket>();
  const sockets = new Set<Socket>();
  const closed = { receivedBytes: 0, sentBytes: 0 };
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => {
      sockets.delete(socket);
      closed.receivedBytes += socket.bytesRead;
      closed.sentBytes += socket.bytesWritten;
    });
  };
  if (server instanceof TlsServer) {
    // Requests arrive on a socket of their own above this one.
    server.on('connection', (socket: Socket) => {
      below.add(socket);
      socket.once('close', () => below.delete(socket));
    });
    server.on('secureConnection', track);
  } else {
    server.on('connection', track);
  }
  server.on('timeout', (socket: Socket) => {
    const response = activeResponse(socket);
    const isOurTurn = response?.req.complete === true && response.writableLength === 0 && socket.writableLength === 0;
    if (isOurTurn && !response.writableEnded) socket.setTimeout(server.timeout);
    else socket.destroy();
  });
  return {
    get count() {
      return sockets.size;
    },
    get receivedBytes() {
      return [...sockets].reduce((sum, socket) => sum + socket.bytesRead, closed.receivedBytes);
    },
    get sentBytes() {
      return [...sockets].reduce((sum, socket) => sum + socket.bytesWritten, closed.sentBytes);
    },
    closeIdle() {
      server.closeIdleConnections();
      for (const socket of sockets) {
        const response = activeResponse(socket);
        if (response !== undefined && !response.headersSent) response.shouldKeepAlive = false;
        if (response !== undefined && response.headersSent) response.once('close', () => socket.destroySoon());
        if (socket.bytesRead === 0) socket.destroy();
      }
    },
    destroyAll() {
      for (const socket of [...sockets, ...below]) socket.destroy();
    },
  };
}
