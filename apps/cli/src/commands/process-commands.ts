import { Argument, type Command } from 'commander';
import { withDatabase } from '../administration/with-database.js';
import { migrateDatabase } from '../administration/migrate-database.js';
import { serve, SERVICES, type ServiceName } from '../services/serve.js';
import { startStandalone } from '../standalone/start.js';
import type { CommandContext } from './context.js';

/** `start`, `serve` and `migrate`. */
export function addProcessCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('start')
    .description('run everything here: Postgres, registry, token issuer and background work')
    .action(() => startStandalone(source, { write }));
  program
    .command('serve')
    .description('run one service that shares Postgres and storage with others')
    .addArgument(new Argument('<service>').choices(Object.keys(SERVICES)))
    .action((name: ServiceName) => serve(name, source));
  program
    .command('migrate')
    .description('bring the database up to date')
    .action(async () => {
      const ran = await withDatabase(source, migrateDatabase);
      write(ran.length === 0 ? 'the database is up to date\n' : `${ran.map((name) => `ran ${name}\n`).join('')}`);
    });
}
