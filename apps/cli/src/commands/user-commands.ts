import { createAccount, disableAccount, enableAccount, resetPassword } from '@entrepot/access';
import type { Command } from 'commander';
import { administer } from '../administration/administer.js';
import { listAll } from '../administration/list-all.js';
import { CommandFailure } from '../exit-codes.js';
import { generatePassword } from '../standalone/secrets.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

interface PasswordOptions {
  readonly passwordStdin?: true;
}

/** `user create|list|disable|enable|reset-password`. */
export function addUserCommands(program: Command, context: CommandContext): void {
  const { source, write } = context;
  const user = program.command('user').description('accounts of people and machines');
  user
    .command('create <name>')
    .description('create a user; prints a generated password unless one is given')
    .option('--admin', 'may do everything')
    .option('--password-stdin', 'take the password from standard input')
    .action(async (name: string, options: PasswordOptions & { admin?: true }) => {
      const { password, note } = await choosePassword(options, context);
      await administer(source, (admin) => createAccount(admin, { name, password, isAdmin: options.admin ?? false }));
      write(`created ${options.admin ? 'the administrator' : 'the user'} ${name}\n${note}`);
    });
  user
    .command('list')
    .description('list all users')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const accounts = await administer(source, ({ directory }) =>
        listAll(
          (page) => directory.accounts(page),
          ({ name }) => name,
        ),
      );
      const shown = accounts.map(({ name, isAdmin, isDisabled, createdAt }) => ({
        name,
        admin: isAdmin,
        disabled: isDisabled,
        created: createdAt,
      }));
      write(formatList(shown, options));
    });
  user
    .command('disable <name>')
    .description('shut a user out; their tokens end within seconds')
    .action(async (name: string) => {
      await administer(source, (admin) => disableAccount(admin, name));
      write(`disabled ${name}\n`);
    });
  user
    .command('enable <name>')
    .description('let a disabled user in again')
    .action(async (name: string) => {
      await administer(source, (admin) => enableAccount(admin, name));
      write(`enabled ${name}\n`);
    });
  user
    .command('reset-password <name>')
    .description('set another password and end all tokens; prints a generated one unless one is given')
    .option('--password-stdin', 'take the password from standard input')
    .action(async (name: string, options: PasswordOptions) => {
      const { password, note } = await choosePassword(options, context);
      await administer(source, (admin) => resetPassword(admin, name, password));
      write(`${name} has another password\n${note}`);
    });
}

/** The password, and what to print of it: only a generated one is shown, once. */
async function choosePassword(
  { passwordStdin }: PasswordOptions,
  { readInput }: CommandContext,
): Promise<{ password: string; note: string }> {
  if (!passwordStdin) {
    const password = generatePassword();
    return { password, note: `password: ${password}\n` };
  }
  const password = (await readInput()).replace(/\r?\n$/, '');
  if (password === '') throw new CommandFailure('usage', 'standard input holds no password');
  return { password, note: '' };
}
