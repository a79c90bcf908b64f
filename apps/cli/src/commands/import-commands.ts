import { readFile } from 'node:fs/promises';
import { importHtpasswd } from '@entrepot/access';
import type { Command } from 'commander';
import { administer } from '../administration/administer.js';
import { CommandFailure } from '../exit-codes.js';
import type { CommandContext } from './context.js';

/** `import-htpasswd`. */
export function addImportCommands(program: Command, { source, write }: CommandContext): void {
  program
    .command('import-htpasswd <file>')
    .description('create a user for each line of an htpasswd file (bcrypt only); users that exist are left alone')
    .action(async (file: string) => {
      const content = await readImport(file);
      const { created, refused } = await administer(source, (admin) => importHtpasswd(admin, content));
      write(created.map((name) => `created the user ${name}\n`).join(''));
      if (refused.length === 0) return;
      const details = refused.map(({ line, reason }) => `line ${line}: ${reason}`);
      const message = `${refused.length} of ${refused.length + created.length} lines of ${file} were not taken`;
      throw new CommandFailure('badInput', message, { details });
    });
}

async function readImport(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? 'unreadable';
    throw new CommandFailure('badInput', `${file} cannot be read (${code})`, { cause });
  }
}
