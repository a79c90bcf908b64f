import { RegistryError } from '@entrepot/oci';
import { exchangeOf } from '@entrepot/runtime';
import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { answerKeySet, answerTokenForm, answerTokenQuery } from './token-handlers.js';
import type { TokenRoom } from './token-handlers.js';

/** Holds the room for injection: an interface is no token. */
export class AuthRoom {
  constructor(readonly tokens: TokenRoom) {}
}

/** Names for metrics. */
export const AUTH_ROUTES = ['token', 'jwks'] as const;

@Controller('auth')
export class AuthController {
  constructor(private readonly room: AuthRoom) {}

  @All('token')
  async token(@Req() { raw: request }: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    exchangeOf(request).route = 'token';
    if (request.method === 'GET') await answerTokenQuery(this.room.tokens, request, reply.raw);
    else if (request.method === 'POST') await answerTokenForm(this.room.tokens, request, reply.raw);
    else throw notAllowed('GET, POST');
  }

  @All('jwks')
  keySet(@Req() { raw: request }: FastifyRequest, @Res() reply: FastifyReply): void {
    reply.hijack();
    exchangeOf(request).route = 'jwks';
    if (request.method !== 'GET') throw notAllowed('GET');
    answerKeySet(this.room.tokens, reply.raw);
  }
}

function notAllowed(allow: string): RegistryError {
  return new RegistryError('UNSUPPORTED', { headers: { Allow: allow } });
}
