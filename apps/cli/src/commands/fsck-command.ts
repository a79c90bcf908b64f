import { parseByteSize } from '@entrepot/oci';
import { InvalidArgumentError, type Command } from 'commander';
import { fsck } from '../fsck/fsck.js';
import type { CommandContext } from './context.js';

interface FsckOptions {
  readonly deep?: true;
  readonly repair?: true;
  readonly json?: true;
  readonly rate?: number;
}

/** `fsck`. */
export function addFsckCommand(program: Command, { source, write, tell }: CommandContext): void {
  program
    .command('fsck')
    .description('compare database and storage both ways, beside whatever runs')
    .option('--deep', 'read every object and manifest, and compare them with their digests')
    .option('--repair', 'put right what can be; without it nothing is changed')
    .option('--rate <size>', 'bytes per second that --deep reads at most, such as 50MiB', parseRate)
    .option('--json', 'print JSON, one finding per line')
    .addHelpText('after', '\nExit codes: 0 clean, 1 with findings, 2 where it could not look.')
    .action(({ deep, repair, json, rate }: FsckOptions) =>
      fsck(
        source,
        {
          isDeep: deep === true,
          repairs: repair === true,
          json: json === true,
          ...(rate !== undefined && { bytesPerSecond: rate }),
        },
        { write, tell },
      ),
    );
}

function parseRate(text: string): number {
  const rate = parseByteSize(text.replace(/\/s$/, ''));
  if (rate !== undefined && rate > 0) return rate;
  throw new InvalidArgumentError('It must be a size such as 50MiB.');
}
