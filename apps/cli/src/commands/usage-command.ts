import type { Command } from 'commander';
import { showUsage, type ShowUsage } from '../usage/show-usage.js';
import type { CommandContext } from './context.js';

/** `usage`. */
export function addUsageCommand(program: Command, { source, write }: CommandContext): void {
  program
    .command('usage')
    .description('show how much is stored, and what garbage collection frees')
    .argument('[name]', 'a namespace such as acme, or a repository such as acme/app (default: everything)')
    .option('--json', 'print JSON, sizes in bytes')
    .option('--exact', 'count everything anew; slow where there is much')
    .action((of: string | undefined, options: Omit<ShowUsage, 'of'>) =>
      showUsage(source, { ...options, ...(of !== undefined && { of }) }, write),
    );
}
