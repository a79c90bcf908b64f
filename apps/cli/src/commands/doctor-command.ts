import type { Command } from 'commander';
import { doctor } from '../doctor/doctor.js';
import type { CommandContext } from './context.js';

/** `doctor`. */
export function addDoctorCommand(program: Command, { source, write }: CommandContext): void {
  program
    .command('doctor')
    .description('look quickly over settings, clocks, database, storage, queues, work and certificates')
    .option('--json', 'print JSON')
    .action(({ json }: { json?: true }) => doctor({ source, write, ...(json && { json }) }));
}
