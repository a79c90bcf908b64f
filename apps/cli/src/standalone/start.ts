import { startAuth } from '@entrepot/auth';
import { startJobrunner } from '@entrepot/jobrunner';
import { endUploadLeases, holdsSealedValues } from '@entrepot/metadata';
import { startRegistry } from '@entrepot/registry';
import { createLogger, type Logger } from '@entrepot/runtime';
import { ensureFirstAdministrator } from '../administration/ensure-first-administrator.js';
import { directUrl } from '../administration/direct-url.js';
import { migrateDatabase } from '../administration/migrate-database.js';
import { composeServices } from '../services/compose-services.js';
import { EXIT_CODES } from '../exit-codes.js';
import { readyBanner } from './banner.js';
import { openDataDirectory } from './data-directory.js';
import { externalDatabase, startDatabase } from './database.js';
import { probePort } from './probe-port.js';
import { showStep, type Output } from './progress.js';
import { completeSettings, prepareSecrets, readSettings } from './settings.js';
import type { GivenSettings, SettingsSource, StandaloneConfig } from './settings.js';
import { StartStopped, watchStopSignals, type StopSignals } from './stop-signals.js';

interface Start {
  readonly source: SettingsSource;
  readonly output: Output;
  readonly stop: StopSignals;
  /** What has to be undone, in the order in which it was done. */
  readonly closers: (() => Promise<void> | void)[];
}

/**
 * Runs a standalone Entrepot until SIGINT or SIGTERM, and returns once everything it started has stopped. Throws
 * `CommandFailure`, `ConfigError` or `ListenError` where it cannot start.
 */
export async function startStandalone(source: SettingsSource, output: Output): Promise<void> {
  const stop = watchStopSignals(() => process.exit(EXIT_CODES.forced));
  const start: Start = { source, output, stop, closers: [] };
  try {
    await bringUp(start);
    await stop.stopped;
    output.write('entrepot: stopping; a second signal does not wait\n');
  } catch (error) {
    if (!(error instanceof StartStopped)) throw error;
  } finally {
    await closeAll(start.closers);
    stop.ignore();
  }
  output.write('entrepot: stopped\n');
}

async function bringUp({ source, output, stop, closers }: Start): Promise<void> {
  const given = readSettings(source);
  const logger = createLogger(given.config.log, { service: 'entrepot' });
  closers.push(takeDataDirectory(given));
  await probePort({ ...given.config.http, section: 'http' });
  await probePort({ ...given.config.ops, section: 'ops' });
  const database = await openDatabase(given, logger, output);
  closers.push(database.close);
  stop.throwIfStopped();
  const secrets = prepareSecrets(given, !(await holdsSealedValues(database.url)));
  const config = completeSettings(source, { ...secrets, ENTREPOT_DATABASE_URL: database.url });
  await showStep(output, 'migrating', () => migrateDatabase(database.url));
  // The lock on the data directory says that no process of an earlier start lives; an external database may have others.
  if (given.config.database.url === undefined) await endUploadLeases(database.url);
  const services = await showStep(output, 'starting the services', () =>
    composeServices([startAuth, startRegistry, startJobrunner], config, {
      databaseUrl: given.config.database.url ?? database.url,
      dataDirectory: given.paths.top,
      logger,
    }),
  );
  closers.push(services.close);
  const account = await ensureAccount(config, database.url, output);
  stop.throwIfStopped();
  closers.push(services.drain);
  const address = await showStep(output, 'listening', services.listen);
  output.write(
    readyBanner({
      address: config.http.publicUrl ?? address.origin,
      opsAddress: address.opsOrigin,
      dataDirectory: given.paths.top,
      ...account,
    }),
  );
}

function takeDataDirectory({ config, paths }: GivenSettings): () => void {
  return openDataDirectory({ dir: paths.top, minFreeBytes: config.data.minFree }).release;
}

function openDatabase({ config, paths }: GivenSettings, logger: Logger, output: Output) {
  const external = directUrl(config.database);
  if (external !== undefined) return externalDatabase(external);
  return showStep(output, 'preparing Postgres', () => startDatabase(paths.postgres, logger));
}

/** The first start creates the administrator with the password given or a new one; later starts change nothing. */
async function ensureAccount(config: StandaloneConfig, databaseUrl: string, output: Output) {
  const given = config.admin.password?.reveal();
  const { name, generatedPassword, warning } = await ensureFirstAdministrator(databaseUrl, given);
  if (warning !== undefined) output.write(`entrepot: warning: ${warning}\n`);
  return { administrator: name, generatedPassword };
}

/** Undoes in reverse order; what cannot be undone does not keep the rest. The first error is thrown at the end. */
async function closeAll(closers: Start['closers']): Promise<void> {
  const errors: unknown[] = [];
  for (const close of closers.toReversed()) {
    try {
      await close();
    } catch (error) {
      errors.push(error);
    }
  }
  if (errors.length > 0) throw errors[0];
}
