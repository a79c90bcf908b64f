import { createServer } from 'node:http';
import type { ServerResponse } from 'node:http';
import type { OpsConfig } from '../config/sections.js';
import type { Logger } from '../observe/logger.js';
import type { Health } from './health.js';
import { listenOn } from './listen.js';

export interface OpsServerOptions {
  readonly config: OpsConfig;
  readonly logger: Logger;
  /** In the Prometheus text format 0.0.4. */
  readonly renderMetrics: () => Promise<string>;
  readonly checkHealth: () => Promise<Health>;
}

export interface OpsServer {
  /** undefined when the port is 0, which turns the server off. @throws ListenError */
  listen(): Promise<{ readonly port: number } | undefined>;
  close(): Promise<void>;
}

/** The operations port: `/metrics` for Prometheus, `/health` by dependency as JSON (503 when one fails). */
export function createOpsServer({ config, logger, renderMetrics, checkHealth }: OpsServerOptions): OpsServer {
  const server = createServer((request, response) => {
    const path = request.method === 'GET' ? request.url?.split('?', 1)[0] : undefined;
    const answer =
      path === '/metrics'
        ? answerMetrics(response, renderMetrics)
        : path === '/health'
          ? answerHealth(response, checkHealth)
          : answerOther(response);
    answer.catch((error: unknown) => {
      logger.error({ err: error }, 'a request on the operations port failed');
      response.destroy();
    });
  });
  return {
    async listen() {
      return config.port === 0 ? undefined : listenOn(server, { ...config, section: 'ops' });
    },
    close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
}

async function answerMetrics(response: ServerResponse, renderMetrics: () => Promise<string>): Promise<void> {
  const body = await renderMetrics();
  response.writeHead(200, { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' }).end(body);
}

async function answerHealth(response: ServerResponse, checkHealth: () => Promise<Health>): Promise<void> {
  const health = await checkHealth();
  response
    .writeHead(health.ok ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' })
    .end(JSON.stringify(health));
}

async function answerOther(response: ServerResponse): Promise<void> {
  response.writeHead(404, { 'Content-Type': 'text/plain' }).end('see /metrics and /health\n');
}
