import { loadConfig } from '@entrepot/runtime';
import { Argument, type Command } from 'commander';
import { ensureFirstAdministrator, type FirstAdministrator } from '../administration/ensure-first-administrator.js';
import { migrateDatabase } from '../administration/migrate-database.js';
import { withDatabase } from '../administration/with-database.js';
import { SERVICE_NAMES, type ServiceName } from '../services/served.js';
import { adminSection } from '../standalone/sections.js';
import { standaloneSections } from '../standalone/settings.js';
import type { CommandContext } from './context.js';

/** `start`, `serve` and `migrate`. The services are loaded by the commands that run them. */
export function addProcessCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('start')
    .description('run everything here: Postgres, registry, token issuer and background work')
    .action(async () => {
      const { startStandalone } = await import('../standalone/start.js');
      await startStandalone(source, { write });
    });
  program
    .command('serve')
    .description('run one service that shares Postgres and storage with others')
    .addArgument(new Argument('<service>').choices(SERVICE_NAMES))
    .action(async (name: ServiceName) => {
      const { serve } = await import('../services/serve.js');
      await serve(name, source);
    });
  program
    .command('migrate')
    .description('bring the database up to date, and create the administrator where there is none')
    .action(async () => {
      const { admin } = loadConfig([adminSection], { ...source, known: standaloneSections });
      await withDatabase(source, async (url) => {
        const ran = await migrateDatabase(url);
        write(ran.length === 0 ? 'the database is up to date\n' : `${ran.map((name) => `ran ${name}\n`).join('')}`);
        write(reportAdministrator(await ensureFirstAdministrator(url, admin.password?.reveal())));
      });
    });
}

/** A generated password is shown here, and never again. */
function reportAdministrator({ name, isNew, generatedPassword, warning }: FirstAdministrator): string {
  if (!isNew) return warning === undefined ? '' : `warning: ${warning}\n`;
  const shown = generatedPassword === undefined ? '' : `password: ${generatedPassword}\n`;
  return `created the administrator ${name}\n${shown}`;
}
