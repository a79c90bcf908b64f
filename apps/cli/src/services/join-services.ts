import { createHealth, createListener, createMetrics } from '@entrepot/runtime';
import type { Health, HttpConfig, Metrics, RedisConfig, RunningService, ServiceStarter } from '@entrepot/runtime';
import { closeServices, startServices, type ProcessResources } from './start-services.js';

/** Services behind one main port. */
export interface JoinedServices {
  readonly metrics: Metrics;
  isReady(): boolean;
  checkHealth(): Promise<Health>;
  /** Opens the main port. Rejects with `ListenError`. */
  listen(): Promise<{ readonly origin: string }>;
  /** Accepts nothing new while others do on the same port; open connections are closed as they are answered. */
  handOver(quietMs: number): Promise<void>;
  /** Accepts nothing new and waits for running requests, for as long as the settings allow. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

export interface JoinOptions extends Omit<ProcessResources, 'metrics'> {
  /** What `/readyz` answers; whether these services are ready, unless given. */
  readonly isReady?: () => boolean;
}

/** Starts the services in their order and puts them behind one listener; if one cannot start, the others are closed. */
export async function joinServices<Config extends { readonly http: HttpConfig; readonly redis: RedisConfig }>(
  starters: readonly ServiceStarter<Config>[],
  config: Config,
  options: JoinOptions,
): Promise<JoinedServices> {
  const { logger } = options;
  const metrics = createMetrics();
  const services = await startServices(starters, config, { ...options, metrics });
  const areReady = () => services.every((service) => service.isReady());
  const listener = createListener({ config: config.http, logger, metrics, isReady: options.isReady ?? areReady });
  for (const { prefix, handler, options: mount } of services.flatMap((service) => service.mounts)) {
    listener.mount(prefix, handler, mount);
  }
  const checks = Object.assign({}, ...services.map((service) => service.checks)) as RunningService['checks'];
  return {
    metrics,
    isReady: areReady,
    checkHealth: createHealth(checks),
    listen: listener.listen,
    handOver: listener.handOver,
    drain: () => listener.drain(),
    close: () => closeServices(services),
  };
}
