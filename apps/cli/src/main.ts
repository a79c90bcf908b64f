import { text } from 'node:stream/consumers';
import { Command, CommanderError } from 'commander';
import { addConfigCommands, VERSION } from './commands/config-commands.js';
import { addDoctorCommand } from './commands/doctor-command.js';
import { addFsckCommand } from './commands/fsck-command.js';
import { addGrantCommands } from './commands/grant-commands.js';
import { addImportCommands } from './commands/import-commands.js';
import { addJobCommands } from './commands/job-commands.js';
import { addKeyCommands } from './commands/key-commands.js';
import { addManifestCommands } from './commands/manifest-commands.js';
import { addNamespaceCommands } from './commands/namespace-commands.js';
import { addOrganisationCommands } from './commands/organisation-commands.js';
import { addProcessCommands } from './commands/process-commands.js';
import { addRebuildCommand } from './commands/rebuild-command.js';
import { addRepositoryCommands } from './commands/repository-commands.js';
import { addScheduleCommands } from './commands/schedule-commands.js';
import { addStorageCommands } from './commands/storage-commands.js';
import { addTagCommands } from './commands/tag-commands.js';
import { addUsageCommand } from './commands/usage-command.js';
import { addUserCommands } from './commands/user-commands.js';
import type { CommandContext } from './commands/context.js';
import { EXIT_CODES } from './exit-codes.js';
import { reportFailure } from './report-failure.js';

const context: CommandContext = {
  source: { environment: process.env },
  write: (line) => void process.stdout.write(line),
  tell: (line) => void process.stderr.write(line),
  readInput: () => text(process.stdin),
};

const GROUPS = [
  addProcessCommands,
  addUserCommands,
  addOrganisationCommands,
  addNamespaceCommands,
  addRepositoryCommands,
  addTagCommands,
  addManifestCommands,
  addGrantCommands,
  addImportCommands,
  addKeyCommands,
  addStorageCommands,
  addUsageCommand,
  addJobCommands,
  addScheduleCommands,
  addDoctorCommand,
  addFsckCommand,
  addRebuildCommand,
  addConfigCommands,
];

process.exitCode = await run(process.argv);

async function run(argv: string[]): Promise<number> {
  const program = new Command('entrepot')
    .description('a trusted container registry')
    .version(VERSION)
    .exitOverride()
    .showHelpAfterError("(see 'entrepot help')");
  for (const addCommands of GROUPS) addCommands(program, context);
  try {
    await program.parseAsync(argv);
    return EXIT_CODES.ok;
  } catch (error) {
    // Commander has printed what it objects to, or the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT_CODES.ok : EXIT_CODES.usage;
    return reportFailure(error, (line) => process.stderr.write(line));
  }
}
