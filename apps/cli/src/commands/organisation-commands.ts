import {
  addTeamMember,
  createOrganisation,
  createTeam,
  putOrganisationMember,
  type Visibility,
} from '@entrepot/access';
import { Option, type Command } from 'commander';
import { administer } from '../administration/administer.js';
import { listAll } from '../administration/list-all.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

interface NewOrganisationOptions {
  readonly owner?: string;
  readonly defaultVisibility: Visibility;
}

/** `org create|list|add-member` and `team create|add-member`. */
export function addOrganisationCommands(program: Command, { source, write }: CommandContext): void {
  const organisation = program.command('org').description('organisations');
  organisation
    .command('create <name>')
    .description('create an organisation')
    .option('--owner <user>', 'its first owner; without one only administrators manage it')
    .addOption(
      new Option('--default-visibility <visibility>', 'of repositories that a push creates')
        .choices(['public', 'private'])
        .default('private'),
    )
    .action(async (name: string, { owner, defaultVisibility }: NewOrganisationOptions) => {
      const wanted = { name, defaultVisibility, ...(owner !== undefined && { owner }) };
      await administer(source, (admin) => createOrganisation(admin, wanted));
      write(`created the organisation ${name}\n`);
    });
  organisation
    .command('list')
    .description('list all organisations')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const found = await administer(source, ({ directory }) =>
        listAll(
          (page) => directory.organisations(page),
          ({ name }) => name,
        ),
      );
      const shown = found.map(({ name, defaultVisibility, createdAt }) => ({
        name,
        visibility: defaultVisibility,
        created: createdAt,
      }));
      write(formatList(shown, options));
    });
  organisation
    .command('add-member <organisation> <user>')
    .description('add a member to an organisation, or change its role')
    .option('--owner', 'as an owner, who may do everything in it')
    .action(async (name: string, user: string, { owner }: { owner?: true }) => {
      const role = owner ? 'owner' : 'member';
      await administer(source, (admin) => putOrganisationMember(admin, { organisation: name, user }, role));
      write(`${user} is ${role} of ${name}\n`);
    });
  addTeamCommands(program, { source, write });
}

function addTeamCommands(program: Command, { source, write }: Pick<CommandContext, 'source' | 'write'>): void {
  const team = program.command('team').description('teams of an organisation');
  team
    .command('create <organisation> <team>')
    .description('create a team')
    .action(async (organisation: string, name: string) => {
      await administer(source, (admin) => createTeam(admin, { organisation, team: name }));
      write(`created the team ${organisation}/${name}\n`);
    });
  team
    .command('add-member <organisation> <team> <user>')
    .description('add a user to a team, and by that to its organisation')
    .action(async (organisation: string, name: string, user: string) => {
      await administer(source, (admin) => addTeamMember(admin, { organisation, team: name }, user));
      write(`${user} is a member of ${organisation}/${name}\n`);
    });
}
