import { createLogger, joinFleet, type FleetLink } from '@entrepot/runtime';
import { reportFailure } from '../report-failure.js';
import { dataPaths } from '../standalone/data-directory.js';
import { joinServices, type JoinedServices } from './join-services.js';
import type { Served } from './served.js';

/** How long a connection that is idle when its worker leaves may wait for its last request. */
export const QUIET_MS = 5000;

/** One of the workers of a service, until its primary or a SIGTERM ends it. A failure to start is left to the primary to tell. */
export async function serveAsWorker(read: () => Served): Promise<void> {
  const link = joinFleet();
  try {
    const services = await bringUp(read(), link);
    await leave(services, link);
  } catch (error) {
    let text = '';
    const exitCode = reportFailure(error, (line) => {
      text += line;
    });
    await link.refuse(text.replace(/^entrepot: /, '').trimEnd(), exitCode);
  }
}

async function bringUp({ name, start, config, databaseUrl }: Served, link: FleetLink): Promise<JoinedServices> {
  const logger = createLogger(config.log, { service: name, worker: link.worker });
  const dataDirectory = dataPaths(config.data.dir).top;
  const services = await joinServices([start], shareOfWorker(config), {
    databaseUrl,
    dataDirectory,
    logger,
    isReady: link.isFleetReady,
  });
  const { origin } = await services.listen();
  const answers = { metrics: services.metrics.snapshot, health: services.checkHealth };
  link.enter({ origin, isReady: services.isReady, answers });
  return services;
}

/** Memory for buffers is given for the whole service. */
function shareOfWorker<Config extends Served['config']>(config: Config): Config {
  const buffers = Math.floor(config.storage.buffers / config.http.workers);
  return { ...config, storage: { ...config.storage, buffers } };
}

async function leave(services: JoinedServices, link: FleetLink): Promise<void> {
  const reason = await link.leaving;
  if (reason === 'leave') await Promise.race([services.handOver(QUIET_MS), link.stopping]);
  await services.drain();
  await services.close();
  await link.exit(await services.metrics.snapshot());
}
