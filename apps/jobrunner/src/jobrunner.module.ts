import { Module, type DynamicModule } from '@nestjs/common';
import { PurgeRoom, StoragePurge } from './storage-purge.js';

@Module({})
class JobrunnerModule {}

/** Work in the background, one provider for each kind. */
export function jobrunnerModule(purge: PurgeRoom): DynamicModule {
  return { module: JobrunnerModule, providers: [{ provide: PurgeRoom, useValue: purge }, StoragePurge] };
}
