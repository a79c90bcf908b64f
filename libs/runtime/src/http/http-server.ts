import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { SecureContextOptions } from 'node:tls';
import type { HttpConfig } from '../config/sections.js';
import { FrontResponse } from './front-response.js';

const TIMEOUT_CHECK_INTERVAL_MS = 1000;

/** Node's server with every limit set on purpose; over TLS when a certificate is given. It does not listen yet. */
export function createHttpServer(config: HttpConfig, tls: SecureContextOptions | undefined): Server {
  const options = serverOptions(config);
  const server: Server =
    tls === undefined
      ? createServer(options)
      : createTlsServer({ ...options, ...tls, ALPNProtocols: ['http/1.1'], handshakeTimeout: config.headerTimeout });
  server.timeout = config.idleTimeout;
  server.maxConnections = config.maxConnections;
  return server;
}

function serverOptions(config: HttpConfig) {
  return {
    ServerResponse: FrontResponse,
    maxHeaderSize: config.maxHeaderBytes,
    insecureHTTPParser: false,
    requireHostHeader: true,
    // Two of a header that may come once are then no valid one, where Node would drop the second.
    joinDuplicateHeaders: true,
    connectionsCheckingInterval: TIMEOUT_CHECK_INTERVAL_MS,
    headersTimeout: config.headerTimeout,
    // An upload takes as long as it takes; the idle timeout guards against clients that stop.
    requestTimeout: 0,
    keepAliveTimeout: config.keepAliveTimeout,
  };
}
