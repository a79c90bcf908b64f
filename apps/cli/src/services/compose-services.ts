import { createOpsServer } from '@entrepot/runtime';
import type { HttpConfig, OpsConfig, RedisConfig, ServiceStarter } from '@entrepot/runtime';
import { joinServices } from './join-services.js';
import type { ProcessResources } from './start-services.js';

/** Services that are one process, with its operations port. */
export interface ComposedServices {
  /** Opens the main and the operations port. Rejects with `ListenError`. */
  listen(): Promise<{ readonly origin: string; readonly opsOrigin: string | undefined }>;
  /** Accepts nothing new and waits for running requests, for as long as the settings allow. */
  drain(): Promise<void>;
  close(): Promise<void>;
}

interface PortsConfig {
  readonly http: HttpConfig;
  readonly ops: OpsConfig;
  readonly redis: RedisConfig;
}

/** Starts the services in their order, behind one main and one operations port; if one cannot start, the others are closed. */
export async function composeServices<Config extends PortsConfig>(
  starters: readonly ServiceStarter<Config>[],
  config: Config,
  shared: Omit<ProcessResources, 'metrics'>,
): Promise<ComposedServices> {
  const services = await joinServices(starters, config, shared);
  const ops = createOpsServer({
    config: config.ops,
    logger: shared.logger,
    renderMetrics: services.metrics.render,
    checkHealth: services.checkHealth,
  });
  return {
    async listen() {
      // The operations port comes first: once the main port answers, everything does.
      const opsPort = (await ops.listen())?.port;
      const { origin } = await services.listen();
      return { origin, opsOrigin: opsPort === undefined ? undefined : `http://${config.ops.host}:${opsPort}` };
    },
    drain: services.drain,
    async close() {
      await services.close();
      await ops.close();
    },
  };
}
