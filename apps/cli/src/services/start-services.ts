import { createBells, openRedisLink } from '@entrepot/runtime';
import type { RedisConfig, RunningService, ServiceResources, ServiceStarter } from '@entrepot/runtime';

/** What a process gives its services, beside the Redis that it opens for them. */
export type ProcessResources = Omit<ServiceResources, 'redis' | 'bells'>;

/**
 * Starts the services in their order, over the Redis that the settings name, if any; if one cannot start, the others are
 * closed. The way to Redis comes first, as a service of its own that is reached by nobody.
 */
export async function startServices<Config extends { readonly redis: RedisConfig }>(
  starters: readonly ServiceStarter<Config>[],
  config: Config,
  resources: ProcessResources,
): Promise<readonly RunningService[]> {
  const services: RunningService[] = [];
  try {
    const redis = await openRedisLink(config.redis, resources);
    const bells = createBells(redis);
    services.push({
      mounts: [],
      checks: redis ? { redis: redis.check } : {},
      isReady: () => true,
      async close() {
        bells.close();
        await redis?.close();
      },
    });
    for (const start of starters) services.push(await start(config, { ...resources, redis, bells }));
    return services;
  } catch (error) {
    await closeServices(services);
    throw error;
  }
}

/** Last started, first closed. */
export async function closeServices(services: readonly RunningService[]): Promise<void> {
  for (const service of services.toReversed()) await service.close();
}
