import { RepositoryGone } from '@entrepot/content';
import { All, Controller, Req, Res } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { callOf, type RegistryRoom } from './call.js';
import { handleCall } from './handlers.js';

/** The token under which Nest finds the handlers' room. */
export class RegistryHandlers {
  constructor(readonly room: RegistryRoom) {}
}

/**
 * Every request of the distribution API. Repository names hold slashes, so that routes are told apart by the table in
 * the vocabulary and not by Nest's router; answers are written to the raw response, byte for byte.
 */
@Controller()
export class RegistryController {
  constructor(private readonly handlers: RegistryHandlers) {}

  @All('*')
  async handle(@Req() request: FastifyRequest, @Res() reply: FastifyReply): Promise<void> {
    reply.hijack();
    const call = callOf(request.raw);
    try {
      await handleCall(this.handlers.room, call);
    } catch (error) {
      throw error instanceof RepositoryGone ? call.challenge('invalid_token') : error;
    }
  }
}
