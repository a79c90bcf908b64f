import { publishSchedule } from '@entrepot/jobs';
import type { Command } from 'commander';
import { ringBell } from '../administration/ring-bell.js';
import { CommandFailure } from '../exit-codes.js';
import { operator, withJobs } from '../jobs/with-jobs.js';
import type { CommandContext } from './context.js';
import { readKind } from './job-commands.js';
import { formatList } from './print-list.js';

/** `schedule list|set`. */
export function addScheduleCommands(program: Command, { source, write }: CommandContext): void {
  const schedule = program.command('schedule').description('when work in the background is done by itself');
  schedule
    .command('list')
    .description('list schedules; times are UTC')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const schedules = (await withJobs(source, (records) => records.schedules())).map(publishSchedule);
      const rows = schedules.map((each) => ({
        kind: each.kind,
        schedule: each.schedule,
        'next run': each.nextRun ?? '-',
        'last run': each.lastRun ?? '-',
        from: each.setBy === null ? 'settings' : each.setBy,
      }));
      write(formatList(options.json ? schedules : rows, options));
    });
  schedule
    .command('set')
    .argument('<kind>', 'what is done', readKind)
    .argument('<spec...>', "cron with five fields or six (seconds first), @daily, '@every 30s', off, or default")
    .description('set when a kind of job is run; default goes back to the settings')
    .option('--json', 'print JSON')
    .action(async (kind: string, words: string[], { json }: { json?: true }) => {
      const spec = words.join(' ').trim();
      const override = spec === 'default' ? undefined : spec;
      const changed = await withJobs(source, (records) => records.setSchedule(kind, override, operator()));
      if (changed === undefined) {
        throw new CommandFailure('refused', `no jobrunner has said yet that it knows ${kind}; start one first`);
      }
      await ringBell(source, 'jobs.changed');
      const published = publishSchedule(changed);
      const next = published.nextRun === null ? 'does not run by itself' : `runs next at ${published.nextRun}`;
      write(json ? `${JSON.stringify(published, null, 2)}\n` : `${kind} (${published.schedule}) ${next}\n`);
    });
}
