import { Catch } from '@nestjs/common';
import type { ArgumentsHost, ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerError } from './answer-error.js';
import type { ErrorEdge } from './answer-error.js';

/** The HTTP edge of Nest apps: whatever a guard or handler throws is answered by `answerError`. */
@Catch()
export class RegistryErrorFilter implements ExceptionFilter {
  readonly #edge: ErrorEdge;

  constructor(edge: ErrorEdge) {
    this.#edge = edge;
  }

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const reply = http.getResponse<FastifyReply>();
    reply.hijack();
    answerError(http.getRequest<FastifyRequest>().raw, reply.raw, error, this.#edge);
  }
}
