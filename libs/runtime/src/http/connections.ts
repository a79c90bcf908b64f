import type { Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

const ACTIVE = Symbol('active response');

type TrackedSocket = Socket & { [ACTIVE]?: ServerResponse | undefined };

/** The open connections of a server. */
export interface Connections {
  readonly count: number;
  /** Lets running requests finish, telling their clients not to come back on the same connection; closes the others. */
  closeIdle(): void;
  destroyAll(): void;
}

/** The answer that a connection is busy with (the newest, where the client pipelines). */
export function activeResponse(socket: Socket): ServerResponse | undefined {
  return (socket as TrackedSocket)[ACTIVE];
}

export function markActive(response: ServerResponse): void {
  const socket: TrackedSocket | null = response.socket;
  if (socket !== null) socket[ACTIVE] = response;
}

export function markDone(response: ServerResponse): void {
  const socket: TrackedSocket = response.req.socket;
  if (socket[ACTIVE] === response) socket[ACTIVE] = undefined;
}

/**
 * Tracks the connections of `server` and cuts those where no byte moved in either direction for the server's `timeout` while the
 * client was to send or to read. A request that has arrived whole and waits for its answer is the server's own work, and is not cut.
 */
export function trackConnections(server: Server): Connections {
  const sockets = new Set<Socket>();
  const track = (socket: Socket): void => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  };
  server.on('connection', track);
  // Over TLS requests arrive on another socket, whose closing closes the one below.
  server.on('secureConnection', track);
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
      for (const socket of sockets) socket.destroy();
    },
  };
}
