import type { RequestListener } from 'node:http';
import type { Server as TlsServer } from 'node:https';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { HttpConfig } from '../config/sections.js';
import type { Logger } from '../observe/logger.js';
import type { Metrics } from '../observe/metrics.js';
import { answerClientError, answerTunnelRequest } from './client-error.js';
import { trackConnections } from './connections.js';
import type { Connections } from './connections.js';
import { createFront } from './front.js';
import type { MountOptions } from './front.js';
import { createHttpServer } from './http-server.js';
import { listenOn } from './listen.js';
import { fingerprintOf, readTlsFiles, watchTlsFiles } from './tls-files.js';
import type { TlsFiles } from './tls-files.js';

/** How long a connection that nobody uses when the process stops may wait for its last request. */
const QUIET_MS = 1000;

export interface ListenerOptions {
  readonly config: HttpConfig;
  readonly logger: Logger;
  readonly metrics: Metrics;
  /** Whether this process can serve, asked by each `/readyz`; draining says no before it is asked. */
  readonly isReady?: () => boolean;
}

/** The one public port: several request handlers by URL prefix, with the limits, probes and shutdown that they share. */
export interface Listener {
  /** Hands requests for `prefix` itself and all below it to `handler`. `/livez` and `/readyz` are answered here. */
  mount(prefix: string, handler: RequestListener, options: MountOptions): void;
  /** @throws ListenError */
  listen(): Promise<{ readonly host: string; readonly port: number; readonly origin: string }>;
  /**
   * Stops accepting where another process goes on accepting on the same port. Open connections stay usable, and each is closed with
   * its next answer, so that no client sees one closed under its request. Resolves when none is left, or after `quietMs`; `drain`
   * follows.
   */
  handOver(quietMs: number): Promise<void>;
  /**
   * Stops: `/readyz` says no, then nothing new is accepted. Connections are closed with their next answer, unused ones after a
   * second: to close one at once races with the next request of a balancer on it, which may not be sent again. Running requests
   * finish within `timeoutMs` (the configured time unless given), and what is left is cut. Asked again it waits for the same end.
   */
  drain(timeoutMs?: number): Promise<void>;
}

export function createListener(options: ListenerOptions): Listener {
  const { config, logger, metrics } = options;
  const state = { isDraining: false, isLeaving: false };
  const front = createFront({ ...options, isDraining: () => state.isDraining, isLeaving: () => state.isLeaving });
  const tls = tlsFilesOf(config);
  const tlsFingerprint = tls === undefined ? '' : fingerprintOf(tls);
  const server = createHttpServer(config, tls === undefined ? undefined : readTlsFiles(tls));
  const connections = trackConnections(server);
  measureConnections(connections, metrics);
  server.on('request', front.handle);
  server.on('checkContinue', front.handleExpecting);
  server.on('checkExpectation', front.handleUnmet);
  server.on('connect', (_request, socket) => answerTunnelRequest(socket));
  server.on('clientError', answerClientError);
  server.on('tlsClientError', (error: Error) => logger.debug({ err: error }, 'a TLS handshake failed'));
  let stopWatching: (() => void) | undefined;
  let drained: Promise<void> | undefined;

  const stopAccepting = async (quietMs: number): Promise<void> => {
    state.isLeaving = true;
    // Not the close of an HTTP server: that one cuts connections which are idle just now.
    const closed = new Promise<void>((resolve) => void NetServer.prototype.close.call(server, () => resolve()));
    const quiet = new AbortController();
    await Promise.race([closed, delay(Math.max(0, quietMs), undefined, { signal: quiet.signal })]);
    quiet.abort();
  };

  const stop = async (timeoutMs: number): Promise<void> => {
    state.isDraining = true;
    state.isLeaving = true;
    if (server.listening) {
      await delay(config.drainDelay);
      await stopAccepting(Math.min(QUIET_MS - config.drainDelay, timeoutMs));
    }
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    connections.closeIdle();
    const timer = setTimeout(connections.destroyAll, timeoutMs);
    await closed;
    clearTimeout(timer);
    stopWatching?.();
    front.close();
  };

  return {
    mount: front.mount,
    async listen() {
      const address = await listenOn(server, { host: config.host, port: config.port, section: 'http' });
      if (tls !== undefined) stopWatching = watchTlsFiles(server as TlsServer, tls, tlsFingerprint, logger);
      const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
      return {
        host: address.address,
        port: address.port,
        origin: `${tls === undefined ? 'http' : 'https'}://${host}:${address.port}`,
      };
    },
    handOver: stopAccepting,
    drain(timeoutMs = config.drainTimeout) {
      drained ??= stop(timeoutMs);
      return drained;
    },
  };
}

function measureConnections(connections: Connections, metrics: Metrics): void {
  metrics.gauge('http_connections', 'Open connections on the main port.', () => connections.count);
  metrics.total('http_received_bytes_total', 'Bytes received, headers included.', () => connections.receivedBytes);
  metrics.total('http_sent_bytes_total', 'Bytes sent, headers included.', () => connections.sentBytes);
}

function tlsFilesOf(config: HttpConfig): TlsFiles | undefined {
  if (config.tlsCertificate === undefined || config.tlsKey === undefined) return undefined;
  return { certificatePath: config.tlsCertificate, keyPath: config.tlsKey };
}
