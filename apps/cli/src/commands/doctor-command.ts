import type { Command } from 'commander';
import type { CommandContext } from './context.js';

/** `doctor`. */
export function addDoctorCommand(program: Command, { source, write }: CommandContext): void {
  program
    .command('doctor')
    .description('look quickly over settings, clocks, database, storage, queues, work and certificates')
    .option('--json', 'print JSON')
    .action(async ({ json }: { json?: true }) => {
      const { doctor } = await import('../doctor/doctor.js');
      await doctor({ source, write, ...(json && { json }) });
    });
}
