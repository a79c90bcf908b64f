import { Module } from '@nestjs/common';
import type { DynamicModule } from '@nestjs/common';
import { AuthController, AuthRoom } from './http/auth.controller.js';

@Module({ controllers: [AuthController] })
class AuthModule {}

/** The token issuer: one controller and what it works with. */
export function authModule(room: AuthRoom): DynamicModule {
  return { module: AuthModule, providers: [{ provide: AuthRoom, useValue: room }] };
}
