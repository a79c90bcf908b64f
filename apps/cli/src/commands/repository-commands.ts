import {
  createRepository,
  deleteRepository,
  purgeRepository,
  restoreRepository,
  setVisibility,
  type Visibility,
} from '@entrepot/access';
import { parseRepositoryName } from '@entrepot/oci';
import { Argument, Option, type Command } from 'commander';
import { administer } from '../administration/administer.js';
import { CommandFailure } from '../exit-codes.js';
import { drainPurged } from '../undo/drain-purged.js';
import { listDeleted, listLive } from '../undo/list-repositories.js';
import { readId } from '../undo/parse-reference.js';
import { readGcTerms } from '../undo/with-content.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

const VISIBILITIES = ['public', 'private'];

/** `repo list|create|delete|restore|set-visibility`. */
export function addRepositoryCommands(program: Command, context: CommandContext): void {
  const repository = program.command('repo').description('repositories');
  addBasics(repository, context);
  addDeletion(repository, context);
}

function addBasics(repository: Command, { source, write }: CommandContext): void {
  repository
    .command('list')
    .description('list all repositories')
    .option('--deleted', 'list those that can be restored, and until when')
    .option('--json', 'print JSON')
    .action(async ({ deleted, ...options }: { deleted?: true; json?: true }) => {
      write(formatList(await (deleted ? listDeleted(source) : listLive(source)), options));
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
    .command('set-visibility <name>')
    .description('say who may pull: everybody, or only who has rights')
    .addArgument(new Argument('<visibility>').choices(VISIBILITIES))
    .action(async (text: string, visibility: Visibility) => {
      const name = parseRepositoryName(text);
      await administer(source, (admin) => setVisibility(admin, name, visibility));
      write(`${name} is ${visibility}\n`);
    });
}

interface Which {
  readonly id?: string;
}

const byId = () => new Option('--id <id>', 'the deleted one of this id, where several had the name').argParser(readId);

function addDeletion(repository: Command, { source, write }: CommandContext): void {
  repository
    .command('delete <name>')
    .description('delete a repository with everything in it; it can be restored for a time (ENTREPOT_GC_UNDO)')
    .option('--purge', 'remove it for good; without one of the name, the one that was deleted last')
    .addOption(byId())
    .action(async (text: string, { purge, id }: Which & { purge?: true }) => {
      const name = parseRepositoryName(text);
      if (id !== undefined && !purge) throw new CommandFailure('usage', '--id goes with --purge: that one is deleted');
      await administer(source, (admin) =>
        purge ? purgeRepository(admin, { name, ...(id !== undefined && { id }) }) : deleteRepository(admin, name),
      );
      const isLeft = purge === true && !(await drainPurged(source));
      write(`${purge ? 'purged' : 'deleted'} the repository ${name}${isLeft ? '; a worker removes the rest' : ''}\n`);
    });
  repository
    .command('restore <name>')
    .description('give a deleted repository back; of several of the name the one that was deleted last')
    .option('--as <name>', 'under another name; in another namespace without its grants')
    .addOption(byId())
    .action(async (text: string, { as, id }: Which & { as?: string }) => {
      if (readGcTerms(source).undo === 0) {
        throw new CommandFailure('refused', 'nothing can be restored while ENTREPOT_GC_UNDO is 0s');
      }
      const which = { name: parseRepositoryName(text), ...(id !== undefined && { id }) };
      const restored = await administer(source, (admin) =>
        restoreRepository(admin, { which, ...(as !== undefined && { as: parseRepositoryName(as) }) }),
      );
      write(`restored the repository ${restored}\n`);
    });
}
