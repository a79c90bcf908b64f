import type { Command } from 'commander';
import type { CommandContext } from './context.js';

interface RebuildOptions {
  readonly json?: true;
  readonly dryRun?: true;
}

/** `rebuild`. */
export function addRebuildCommand(program: Command, { source, write }: CommandContext): void {
  program
    .command('rebuild')
    .description('fill an empty database from what lies beside the objects, where the old one is lost')
    .option('--dry-run', 'say what would be rebuilt and what is lost, and leave the database empty')
    .option('--json', 'print JSON, one object per line')
    .action(async (options: RebuildOptions) => {
      const { rebuildRegistry } = await import('../recovery/rebuild-registry.js');
      await rebuildRegistry(source, options, write);
    });
}
