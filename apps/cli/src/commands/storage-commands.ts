import { parseByteSize, parseDuration } from '@entrepot/oci';
import { InvalidArgumentError, Option, type Command } from 'commander';
import { checkStorage } from '../storage/check-storage.js';
import { migrateStorage, type MigrateStorage } from '../storage/migrate-storage.js';
import type { CommandContext } from './context.js';

/** A slower copy would outlast the time for which it is known to be under way. */
const MIN_RATE = 64 * 1024;

interface MigrateOptions {
  readonly to: MigrateStorage['to'];
  readonly rate?: number;
  readonly keep?: number;
  readonly json?: true;
}

/** `storage check|migrate`. */
export function addStorageCommands(program: Command, { source, write }: CommandContext): void {
  const storage = program.command('storage').description('where the bytes of blobs live');
  storage
    .command('check')
    .description('try everything that the registry does with the store, on objects of its own')
    .action(() => checkStorage(source, write));
  storage
    .command('migrate')
    .description('move the objects of all blobs to another store, while everything goes on')
    .addOption(new Option('--to <driver>', 'where to').choices(['filesystem', 's3']).makeOptionMandatory())
    .option('--rate <size>', 'bytes per second at most, such as 50MiB', parseRate)
    .option('--keep <duration>', 'how long old objects stay, for downloads under way (default: 1h or more)', parseKeep)
    .option('--json', 'print JSON, one object per line')
    .action(({ to, rate, keep, json }: MigrateOptions) =>
      migrateStorage(
        source,
        {
          to,
          ...(rate !== undefined && { bytesPerSecond: rate }),
          ...(keep !== undefined && { keepMs: keep }),
          ...(json && { json }),
        },
        write,
      ),
    );
}

function parseRate(text: string): number {
  const rate = parseByteSize(text.replace(/\/s$/, ''));
  if (rate !== undefined && rate >= MIN_RATE) return rate;
  throw new InvalidArgumentError('It must be a size such as 50MiB, at least 64KiB.');
}

function parseKeep(text: string): number {
  const keepMs = parseDuration(text);
  if (keepMs !== undefined) return keepMs;
  throw new InvalidArgumentError('It must be a duration such as 30m, 1h or 7d.');
}
