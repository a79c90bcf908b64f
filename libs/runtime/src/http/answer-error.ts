import type { IncomingMessage, ServerResponse } from 'node:http';
import type { HttpException } from '@nestjs/common';
import { RegistryError } from '@entrepot/oci';
import { exchangeOf } from '../observe/exchange.js';
import type { Logger } from '../observe/logger.js';
import { refuseBody } from './refuse-body.js';

const RETRY_AFTER_SECONDS = '1';

export interface ErrorEdge {
  readonly logger: Logger;
  /** Says what an error of a domain is at this edge; undefined leaves it to the general rules. */
  readonly mapError?: (error: unknown) => RegistryError | undefined;
}

/**
 * Answers a failed request once, in the JSON of the distribution API ("Error Codes"). What nobody expected is logged with its causes and
 * answered as `UNKNOWN` with the request id alone. A failure after the head was sent can only cut the connection.
 */
export function answerError(request: IncomingMessage, response: ServerResponse, error: unknown, edge: ErrorEdge): void {
  if (exchangeOf(request).socket.destroyed) {
    edge.logger.debug({ requestId: exchangeOf(request).requestId }, 'the client went away before it was answered');
    response.destroy();
    return;
  }
  const refusal = edge.mapError?.(error) ?? toRegistryError(error, exchangeOf(request).requestId);
  exchangeOf(request).errorCode = refusal.code;
  if (refusal.status >= 500) logFailure(request, error, edge.logger);
  if (response.headersSent) response.destroy();
  else writeRefusal(request, response, refusal);
}

/** The general rules: refusals as they are, Nest's and Fastify's by their status, retryable faults as 503, the rest as 500. */
export function toRegistryError(error: unknown, requestId: string): RegistryError {
  if (error instanceof RegistryError) return error;
  const status = statusOf(error);
  if (status === 404) return new RegistryError('UNSUPPORTED', { status, message: 'there is no such endpoint' });
  if (status === 405) return new RegistryError('UNSUPPORTED');
  if (status === 413) return new RegistryError('SIZE_INVALID', { status });
  if (status !== undefined && status >= 400 && status < 500) {
    return new RegistryError('UNSUPPORTED', { status, message: 'the request is malformed' });
  }
  if (isRetryable(error)) {
    return new RegistryError('UNAVAILABLE', {
      headers: { 'Retry-After': RETRY_AFTER_SECONDS },
      detail: { requestId },
      cause: error,
      ...clientMessageOf(error),
    });
  }
  return new RegistryError('UNKNOWN', { detail: { requestId }, cause: error });
}

function writeRefusal(request: IncomingMessage, response: ServerResponse, refusal: RegistryError): void {
  const body = Buffer.from(JSON.stringify(refusal.toBody()));
  response.statusCode = refusal.status;
  for (const [name, value] of Object.entries(refusal.headers)) response.setHeader(name, value);
  response.setHeader('Content-Type', 'application/json');
  response.setHeader('Content-Length', body.length);
  refuseBody(request, response, body);
}

function logFailure(request: IncomingMessage, error: unknown, logger: Logger): void {
  const { requestId, route } = exchangeOf(request);
  const fields = { requestId, route, method: request.method, err: error };
  if (isRetryable(error)) logger.warn(fields, 'a request was turned away: something it needs is not available');
  else logger.error(fields, 'a request failed');
}

/** Status of Nest's exceptions and of Fastify's own errors (a URL that cannot be decoded, …). */
function statusOf(error: unknown): number | undefined {
  if (!(error instanceof Error)) return undefined;
  const isNest = 'getStatus' in error && typeof error.getStatus === 'function';
  if (isNest) return Number((error as HttpException).getStatus());
  const isFastify = 'code' in error && String(error.code).startsWith('FST_');
  return isFastify && 'statusCode' in error && typeof error.statusCode === 'number' ? error.statusCode : undefined;
}

/** Faults of the infrastructure mark themselves, since this room knows no driver. */
function isRetryable(error: unknown): boolean {
  return typeof error === 'object' && error !== null && 'retryable' in error && error.retryable === true;
}

/** What such a fault wants clients to know, which may only be what helps them. */
function clientMessageOf(error: unknown): { message?: string } {
  const isTold = typeof error === 'object' && error !== null && 'clientMessage' in error;
  return isTold && typeof error.clientMessage === 'string' ? { message: error.clientMessage } : {};
}
