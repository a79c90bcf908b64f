import cluster from 'node:cluster';
import { authSections, startAuth } from '@entrepot/auth';
import { jobrunnerSections, startJobrunner } from '@entrepot/jobrunner';
import { registrySections, startRegistry } from '@entrepot/registry';
import { createLogger, httpSection, loadConfig, logSection, opsSection } from '@entrepot/runtime';
import type { ConfigSection, ServiceStarter } from '@entrepot/runtime';
import { directUrl } from '../administration/direct-url.js';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { CommandFailure, EXIT_CODES } from '../exit-codes.js';
import { dataPaths } from '../standalone/data-directory.js';
import { dataSection } from '../standalone/sections.js';
import { standaloneSections, type SettingsSource, type StandaloneConfig } from '../standalone/settings.js';
import { watchStopSignals } from '../standalone/stop-signals.js';
import { composeServices } from './compose-services.js';
import { databaseConnections } from './database-connections.js';
import { serveAsWorker } from './serve-as-worker.js';
import { serveByWorkers } from './serve-by-workers.js';
import type { Served, ServiceName } from './served.js';

interface Service {
  readonly sections: readonly ConfigSection[];
  /** Whether several workers may do its work. */
  readonly hasWorkers: boolean;
  /** Reads no more of the settings than its sections. */
  readonly start: ServiceStarter<StandaloneConfig>;
}

/** Each service: its settings, and how it starts. */
export const SERVICES = {
  registry: { sections: registrySections, hasWorkers: true, start: startRegistry },
  auth: { sections: authSections, hasWorkers: false, start: startAuth },
  jobrunner: { sections: jobrunnerSections, hasWorkers: false, start: startJobrunner },
} as const satisfies Record<ServiceName, Service>;

/** Runs one service until SIGINT or SIGTERM. Nothing is generated: a setting that is missing stops the start. */
export async function serve(name: ServiceName, source: SettingsSource): Promise<void> {
  if (cluster.isWorker) return serveAsWorker(() => readServed(name, source));
  const served = readServed(name, source);
  return SERVICES[name].hasWorkers && served.config.http.workers > 1 ? serveByWorkers(served) : serveAlone(served);
}

async function serveAlone({ name, start, config, databaseUrl, directDatabaseUrl }: Served): Promise<void> {
  const logger = createLogger(config.log, { service: name });
  const stop = watchStopSignals(() => process.exit(EXIT_CODES.forced));
  process.on('SIGUSR2', () => logger.warn('there are no workers to replace; restart the service'));
  await refuseOldSchema(directDatabaseUrl);
  const dataDirectory = dataPaths(config.data.dir).top;
  const services = await composeServices([start], config, { databaseUrl, dataDirectory, logger });
  try {
    const { origin } = await services.listen();
    logger.info({ origin, databaseConnections: databaseConnections(name, config) }, 'ready');
    await stop.stopped;
    logger.info('stopping');
  } finally {
    await services.drain();
    await services.close();
    stop.ignore();
  }
}

/** The settings that a service reads: those of every service, and its own. */
export function serviceSections(name: ServiceName): readonly ConfigSection[] {
  const every = [httpSection, opsSection, logSection, dataSection, ...SERVICES[name].sections];
  return every.filter((section, index) => every.findIndex((other) => other.name === section.name) === index);
}

function readServed(name: ServiceName, source: SettingsSource): Served {
  const config = loadConfig(serviceSections(name), { ...source, known: standaloneSections }) as StandaloneConfig;
  const databaseUrl = config.database.url;
  const directDatabaseUrl = directUrl(config.database);
  if (databaseUrl === undefined || directDatabaseUrl === undefined) {
    throw new CommandFailure(
      'config',
      'ENTREPOT_DATABASE_URL: required, but not set; a service has no Postgres of its own',
    );
  }
  return { name, start: SERVICES[name].start, config, databaseUrl, directDatabaseUrl };
}
