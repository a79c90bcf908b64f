import 'reflect-metadata';
import { METHODS, createServer } from 'node:http';
import type { IncomingMessage, RequestListener } from 'node:http';
import type { DynamicModule, Type } from '@nestjs/common';
import type { FastifyAdapter, NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyServerOptions } from 'fastify';
import { exchangeOf } from '../observe/exchange.js';
import { createNestLog } from '../observe/nest-log.js';
import { answerError } from './answer-error.js';
import type { ErrorEdge } from './answer-error.js';

export interface NestHandler {
  /** For `listener.mount`. */
  readonly handler: RequestListener;
  readonly app: NestFastifyApplication;
  /** Runs the shutdown hooks of the app's providers; to be called after the listener has drained. */
  close(): Promise<void>;
}

const MAX_PARAMETER_LENGTH = 8192;

/**
 * A Nest app on Fastify without a port of its own: its request handler is mounted on a listener. Bodies are left alone
 * (`request.raw` is the stream), HEAD is never derived from GET, and every error goes through `answerError`.
 * Nest is loaded here: commands that serve nothing do without.
 */
export async function createNestHandler(module: Type | DynamicModule, edge: ErrorEdge): Promise<NestHandler> {
  const [{ NestFactory }, fastify, { RegistryErrorFilter }] = await Promise.all([
    import('@nestjs/core'),
    import('@nestjs/platform-fastify'),
    import('./error-filter.js'),
  ]);
  const captured = captureHandler(fastify.FastifyAdapter, edge);
  const app = await NestFactory.create<NestFastifyApplication>(module, captured.adapter, {
    bodyParser: false,
    logger: createNestLog(edge.logger),
    abortOnError: false,
  });
  const server = app.getHttpAdapter().getInstance();
  // To Fastify no method has a body: it judges no Content-Type and knows every method. Both are for the handlers.
  for (const method of METHODS) server.addHttpMethod(method, { overrideExisting: true });
  app.useGlobalFilters(new RegistryErrorFilter(edge));
  await app.init();
  await server.ready();
  return { handler: captured.handler(), app, close: () => app.close() };
}

function captureHandler(
  Adapter: typeof FastifyAdapter,
  edge: ErrorEdge,
): { adapter: FastifyAdapter; handler(): RequestListener } {
  let captured: RequestListener | undefined;
  const options: FastifyServerOptions = {
    serverFactory: (handler) => {
      captured = handler;
      return createServer();
    },
    logger: false,
    exposeHeadRoutes: false,
    requestIdHeader: false,
    genReqId: (request: IncomingMessage) => exchangeOf(request).requestId,
    trustProxy: false,
    return503OnClosing: false,
    routerOptions: { maxParamLength: MAX_PARAMETER_LENGTH, caseSensitive: true, ignoreTrailingSlash: false },
    frameworkErrors: (error, request, reply) => {
      reply.hijack();
      answerError(request.raw, reply.raw, error, edge);
    },
  };
  return {
    adapter: new Adapter(options),
    handler: () => {
      if (captured === undefined) throw new Error('Fastify did not ask for a server');
      return captured;
    },
  };
}
