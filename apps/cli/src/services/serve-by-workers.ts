import { createLogger, createMetrics, createOpsServer, Fleet, type Logger } from '@entrepot/runtime';
import { refuseOldSchema } from '../administration/refuse-old-schema.js';
import { EXIT_CODES } from '../exit-codes.js';
import { watchStopSignals } from '../standalone/stop-signals.js';
import { databaseConnections } from './database-connections.js';
import { QUIET_MS } from './serve-as-worker.js';
import type { Served } from './served.js';

/** For what a worker does after its last connection: it ends its work in the background and leaves Postgres. */
const CLOSE_TIMEOUT_MS = 10_000;

/**
 * Runs a service as several workers at one main port, until SIGINT or SIGTERM. This process has the operations port and none of the
 * work. SIGUSR2 replaces the workers one by one, SIGHUP makes them load the TLS files again.
 */
export async function serveByWorkers(served: Served): Promise<void> {
  const { name, config, directDatabaseUrl } = served;
  const { http } = config;
  const logger = createLogger(config.log, { service: name });
  const metrics = createMetrics();
  await refuseOldSchema(directDatabaseUrl);
  const stopTimeoutMs = http.drainDelay + QUIET_MS + http.drainTimeout + CLOSE_TIMEOUT_MS;
  const fleet = new Fleet({ size: http.workers, logger, metrics, stopTimeoutMs });
  const stop = watchStopSignals(() => {
    fleet.kill();
    process.exit(EXIT_CODES.forced);
  });
  const ops = createOpsServer({
    config: config.ops,
    logger,
    renderMetrics: () => fleet.renderMetrics(),
    checkHealth: () => fleet.checkHealth(),
  });
  try {
    await ops.listen();
    await Promise.race([stop.stopped, run(fleet, served, logger)]);
    logger.info('stopping');
  } finally {
    await fleet.stop();
    await ops.close();
    stop.ignore();
  }
}

/** Rejects when no worker can be started (any more); else it goes on for ever. */
async function run(fleet: Fleet, { name, config }: Served, logger: Logger): Promise<never> {
  const { http } = config;
  process.on('SIGUSR2', () => void fleet.restart());
  if (http.tlsCertificate !== undefined) process.on('SIGHUP', () => fleet.signal('SIGHUP'));
  const origin = await fleet.start();
  const connections = http.workers * databaseConnections(name, config);
  logger.info({ origin, workers: http.workers, databaseConnections: connections }, 'ready');
  return fleet.failed;
}
