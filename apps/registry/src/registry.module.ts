import { Module, type DynamicModule } from '@nestjs/common';
import { APP_GUARD } from '@nestjs/core';
import { AccessGuard, GuardRoom } from './http/access.guard.js';
import { RegistryController, RegistryHandlers } from './http/registry.controller.js';

@Module({ controllers: [RegistryController] })
class RegistryModule {}

/** The data plane: one controller behind one guard. */
export function registryModule(handlers: RegistryHandlers, guard: GuardRoom): DynamicModule {
  return {
    module: RegistryModule,
    providers: [
      { provide: RegistryHandlers, useValue: handlers },
      { provide: GuardRoom, useValue: guard },
      { provide: APP_GUARD, useClass: AccessGuard },
    ],
  };
}
