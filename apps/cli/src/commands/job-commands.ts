import {
  isKindName,
  JOB_STATUSES,
  KINDS,
  parseJobStatus,
  publishJob,
  publishWorker,
  refuseParameters,
  type JobStatus,
} from '@entrepot/jobs';
import { parseDuration } from '@entrepot/oci';
import { InvalidArgumentError, type Command } from 'commander';
import { CommandFailure } from '../exit-codes.js';
import { cancelJob } from '../jobs/cancel-job.js';
import { listedJob } from '../jobs/format-job.js';
import { printLog } from '../jobs/print-log.js';
import { runJob } from '../jobs/run-job.js';
import { noSuchJob, withJobs } from '../jobs/with-jobs.js';
import type { CommandContext } from './context.js';
import { formatList } from './print-list.js';

const DEFAULT_LIMIT = 50;

interface ListOptions {
  readonly kind?: string;
  readonly status?: JobStatus;
  readonly worker?: string;
  readonly running?: true;
  readonly dead?: true;
  readonly limit: number;
  readonly json?: true;
}

interface RunOptions {
  readonly dryRun?: true;
  readonly param: Readonly<Record<string, string>>;
  readonly at?: Date;
  readonly deadline?: number;
  readonly retries?: number;
  readonly wait?: true;
  readonly json?: true;
}

/** `job list|show|run|cancel|logs|delete|workers`. */
export function addJobCommands(program: Command, context: CommandContext): void {
  const job = program.command('job').description('work in the background');
  addReading(job, context);
  addRun(job, context);
  job
    .command('cancel <id>')
    .description('end a job: one that runs at its next safe point')
    .option('--wait', 'wait until it has ended')
    .action((id: string, { wait = false }: { wait?: boolean }) => cancelJob(context, id, wait));
  job
    .command('delete <id>')
    .description('remove a job and its log; one that runs is ended')
    .action(async (id: string) => {
      const isRemoved = await withJobs(context.source, (records) => records.remove(id));
      if (!isRemoved) throw noSuchJob(id);
      context.write(`deleted the job ${id}\n`);
    });
}

function addReading(job: Command, context: CommandContext): void {
  const { source, write } = context;
  job
    .command('list')
    .description('list jobs, newest first')
    .option('--kind <kind>', 'of one kind only', readKind)
    .option('--status <status>', JOB_STATUSES.join(', '), readStatus)
    .option('--worker <id>', 'that one worker has or had')
    .option('--running', 'that run now')
    .option('--dead', 'that failed and are not tried again')
    .option('--limit <number>', 'how many at most', readCount, DEFAULT_LIMIT)
    .option('--json', 'print JSON')
    .action(async ({ kind, status, worker, running, dead, limit, json }: ListOptions) => {
      const wanted = running ? 'running' : status;
      const filter = { ...(kind && { kind }), ...(wanted && { status: wanted }), ...(worker && { workerId: worker }) };
      const jobs = await withJobs(source, (records) =>
        records.list({ ...filter, ...(dead && { isDead: dead }), limit }),
      );
      write(json ? formatList(jobs.map(publishJob), { json }) : formatList(jobs.map(listedJob), {}));
    });
  job
    .command('show <id>')
    .description('print everything about a job, as JSON')
    .action(async (id: string) => {
      const found = await withJobs(source, (records) => records.find(id));
      if (found === undefined) throw noSuchJob(id);
      write(`${JSON.stringify(publishJob(found), null, 2)}\n`);
    });
  job
    .command('logs <id>')
    .description('print the log of a job')
    .option('--follow', 'go on until the job has ended')
    .option('--json', 'print JSON, one object per line')
    .action((id: string, options: { follow?: true; json?: true }) => printLog(context, id, options));
  job
    .command('workers')
    .description('list the processes that run jobs')
    .option('--json', 'print JSON')
    .action(async (options: { json?: true }) => {
      const workers = (await withJobs(source, (records) => records.workers())).map(publishWorker);
      const rows = workers.map(({ id, status, host, processId, runningJobs, heartbeatExpiration }) => ({
        id,
        status,
        host,
        process: processId,
        jobs: runningJobs,
        'alive until': heartbeatExpiration,
      }));
      write(formatList(options.json ? workers : rows, options));
    });
}

function addRun(job: Command, context: CommandContext): void {
  const kinds = Object.entries(KINDS).map(([name, purpose]) => `  ${name.padEnd(14)} ${purpose}`);
  job
    .command('run')
    .argument('<kind>', 'what to do', readKind)
    .description('do something now')
    .addHelpText('after', `\nKinds:\n${kinds.join('\n')}`)
    .option('--dry-run', 'only say what would be done')
    .option('--param <key=value>', 'a parameter of the kind; may be repeated', readParameter, {})
    .option('--at <time>', 'not before this time (RFC 3339), or after a duration such as 10m', readTime)
    .option('--deadline <duration>', 'end it after so long', readDuration)
    .option('--retries <number>', 'how often it is tried again where it fails', readCount)
    .option('--wait', 'wait until it has ended, and print what it did')
    .option('--json', 'print JSON')
    .action((kind: string, options: RunOptions) =>
      runJob(context, {
        kind,
        parameters: readParameters(kind, { ...options.param, ...(options.dryRun && { 'dry-run': 'true' }) }),
        ...(options.at !== undefined && { scheduledAt: options.at }),
        ...(options.deadline !== undefined && { deadlineMs: options.deadline }),
        ...(options.retries !== undefined && { retries: options.retries }),
        wait: options.wait ?? false,
        json: options.json ?? false,
      }),
    );
}

/** Reads the name of a kind. Throws `CommandFailure` that lists them. */
export function readKind(text: string): string {
  if (isKindName(text)) return text;
  throw new CommandFailure('usage', `'${text}' is no kind of job; there are ${Object.keys(KINDS).join(', ')}`);
}

function readParameters(kind: string, parameters: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const refusal = refuseParameters(kind, parameters);
  if (refusal !== undefined) throw new CommandFailure('usage', refusal);
  return parameters;
}

function readStatus(text: string): JobStatus {
  const status = parseJobStatus(text);
  if (status !== undefined) return status;
  throw new InvalidArgumentError(`There are ${JOB_STATUSES.join(', ')}.`);
}

function readCount(text: string): number {
  if (/^\d{1,6}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

function readParameter(text: string, previous: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  const [, key, value] = /^([A-Za-z][\w.-]*)=(.*)$/s.exec(text) ?? [];
  if (key === undefined || value === undefined) throw new InvalidArgumentError('It must be KEY=VALUE.');
  return { ...previous, [key]: value };
}

function readDuration(text: string): number {
  const durationMs = parseDuration(text);
  if (durationMs !== undefined && durationMs > 0) return durationMs;
  throw new InvalidArgumentError('It must be a duration such as 30m, 1h or 7d.');
}

function readTime(text: string): Date {
  const afterMs = parseDuration(text);
  if (afterMs !== undefined) return new Date(Date.now() + afterMs);
  const timeMs = /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/i.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(timeMs)) return new Date(timeMs);
  throw new InvalidArgumentError('It must be a time such as 2026-01-31T03:00:00Z, or a duration such as 10m.');
}
