import { putGrant, revokeGrant, type GrantTarget, type Role } from '@entrepot/access';
import { parseRepositoryName } from '@entrepot/oci';
import { Argument, type Command } from 'commander';
import { administer } from '../administration/administer.js';
import { listAll } from '../administration/list-all.js';
import { CommandFailure } from '../exit-codes.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

const RESOURCE_HELP = 'a repository such as acme/app, or a namespace such as acme';
const GRANTEE_HELP = 'user:NAME or team:ORGANISATION/TEAM';

/** `grant`, `revoke` and `grants`. */
export function addGrantCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('grant')
    .description('give a user or a team rights on a repository, or on all of a namespace')
    .argument('<resource>', RESOURCE_HELP)
    .argument('<grantee>', GRANTEE_HELP)
    .addArgument(new Argument('<role>').choices(['read', 'write', 'admin']))
    .action(async (resource: string, grantee: string, role: Role) => {
      const target = parseTarget(resource, grantee);
      await administer(source, (admin) => putGrant(admin, target, role));
      write(`${grantee} has ${role} on ${resource}\n`);
    });
  program
    .command('revoke')
    .description('take a grant back; tokens that rest on it end within seconds')
    .argument('<resource>', RESOURCE_HELP)
    .argument('<grantee>', GRANTEE_HELP)
    .action(async (resource: string, grantee: string) => {
      const target = parseTarget(resource, grantee);
      await administer(source, (admin) => revokeGrant(admin, target));
      write(`${grantee} has no grant on ${resource}\n`);
    });
  program
    .command('grants')
    .description('list the grants on exactly this repository or namespace')
    .argument('<resource>', RESOURCE_HELP)
    .option('--json', 'print JSON')
    .action(async (resource: string, options: { json?: true }) => {
      const grants = await administer(source, ({ directory }) =>
        listAll(
          (page) => directory.grants(resource, page),
          ({ grantee }) => grantee,
        ),
      );
      write(
        formatList(
          grants.map(({ grantee, role }) => ({ grantee, role })),
          options,
        ),
      );
    });
}

/** A name with a slash is a repository. `library/hello` is written out: `hello` alone would be a namespace. */
function parseTarget(resource: string, grantee: string): GrantTarget {
  const on = resource.includes('/') ? { repository: parseRepositoryName(resource) } : { namespace: resource };
  const { user, organisation, team } =
    /^(?:user:(?<user>[^/]+)|team:(?<organisation>[^/]+)\/(?<team>.+))$/.exec(grantee)?.groups ?? {};
  if (user !== undefined) return { to: { user }, on };
  if (organisation !== undefined && team !== undefined) return { to: { organisation, team }, on };
  throw new CommandFailure('usage', `${grantee} is no grantee; write ${GRANTEE_HELP}`);
}
