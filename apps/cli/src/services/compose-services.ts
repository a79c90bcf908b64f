import { createListener, createMetrics, createOpsServer } from '@entrepot/runtime';
import type { HttpConfig, OpsConfig, RunningService, ServiceResources, ServiceStarter } from '@entrepot/runtime';

/** Services joined behind one port. */
export interface ComposedServices {
  /** Opens the main and the operations port. Throws `ListenError`. */
  listen(): Promise<{ readonly origin: string; readonly opsOrigin: string | undefined }>;
  /** Accepts nothing new and waits for running requests, for as long as the settings allow. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

interface PortsConfig {
  readonly http: HttpConfig;
  readonly ops: OpsConfig;
}

/** Starts the services in their order and puts them behind one listener; if one cannot start, the others are closed. */
export async function composeServices<Config extends PortsConfig>(
  starters: readonly ServiceStarter<Config>[],
  config: Config,
  shared: Omit<ServiceResources, 'metrics'>,
): Promise<ComposedServices> {
  const { logger } = shared;
  const metrics = createMetrics();
  const services = await startAll(starters, (start) => start(config, { ...shared, metrics }));
  const isReady = () => services.every((service) => service.isReady());
  const listener = createListener({ config: config.http, logger, metrics, isReady });
  for (const { prefix, handler, options } of services.flatMap((service) => service.mounts)) {
    listener.mount(prefix, handler, options);
  }
  const checks = Object.assign({}, ...services.map((service) => service.checks)) as RunningService['checks'];
  const ops = createOpsServer({ config: config.ops, metrics, logger, checks });
  return {
    async listen() {
      // The operations port comes first: once the main port answers, everything does.
      const opsPort = (await ops.listen())?.port;
      const { origin } = await listener.listen();
      return { origin, opsOrigin: opsPort === undefined ? undefined : `http://${config.ops.host}:${opsPort}` };
    },
    drain: () => listener.drain(),
    async close() {
      await closeAll(services);
      await ops.close();
    },
  };
}

async function startAll<Config>(
  starters: readonly ServiceStarter<Config>[],
  begin: (starter: ServiceStarter<Config>) => Promise<RunningService>,
): Promise<readonly RunningService[]> {
  const services: RunningService[] = [];
  try {
    for (const starter of starters) services.push(await begin(starter));
    return services;
  } catch (error) {
    await closeAll(services);
    throw error;
  }
}

async function closeAll(services: readonly RunningService[]): Promise<void> {
  for (const service of services.toReversed()) await service.close();
}
