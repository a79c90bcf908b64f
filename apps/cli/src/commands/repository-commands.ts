import { createRepository, deleteRepository, setVisibility, type Visibility } from '@entrepot/access';
import { parseRepositoryName } from '@entrepot/oci';
import { Argument, Option, type Command } from 'commander';
import { administer } from '../administration/administer.js';
import { listAll } from '../administration/list-all.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

const VISIBILITIES = ['public', 'private'];

/** `repo list|create|delete|set-visibility`. */
export function addRepositoryCommands(program: Command, { source, write }: CommandContext): void {
  const repository = program.command('repo').description('repositories');
  repository
    .command('list')
    .description('list all repositories')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const found = await administer(source, ({ directory }) =>
        listAll(
          (page) => directory.repositories(page),
          ({ name }) => name,
        ),
      );
      const shown = found.map(({ name, visibility, createdAt }) => ({ name, visibility, created: createdAt }));
      write(formatList(shown, options));
    });
  repository
    .command('create <name>')
    .description('create an empty repository')
    .addOption(new Option('--visibility <visibility>', "default: its namespace's").choices(VISIBILITIES))
    .action(async (text: string, { visibility }: { visibility?: Visibility }) => {
      const name = parseRepositoryName(text);
      await administer(source, (admin) => createRepository(admin, { name, ...(visibility && { visibility }) }));
      write(`created the repository ${name}\n`);
    });
  repository
    .command('delete <name>')
    .description('delete a repository with everything in it')
    .action(async (text: string) => {
      const name = parseRepositoryName(text);
      await administer(source, (admin) => deleteRepository(admin, name));
      write(`deleted the repository ${name}\n`);
    });
  repository
    .command('set-visibility <name>')
    .description('say who may pull: everybody, or only who has rights')
    .addArgument(new Argument('<visibility>').choices(VISIBILITIES))
    .action(async (text: string, visibility: Visibility) => {
      const name = parseRepositoryName(text);
      await administer(source, (admin) => setVisibility(admin, name, visibility));
      write(`${name} is ${visibility}\n`);
    });
}
