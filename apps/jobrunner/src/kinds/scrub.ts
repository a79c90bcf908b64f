import { createPace, readScrubState, scrubBlobs, type Scrub, type ScrubbedBytes } from '@entrepot/content';
import type { JobKind, JobRun, ScheduledKind } from '@entrepot/jobs';
import { PostgresBlobWalk, PostgresQuarantine, PostgresRepositories } from '@entrepot/metadata';
import { parseRepositoryName } from '@entrepot/oci';
import { isDryRun } from './dry-run.js';
import type { KindRoom } from './kind-room.js';

const FAULTS = ['missing', 'short', 'corrupt'] as const;

/** Reads every object again, and compares it with its digest. */
export function scrubKind({ config, pool, store, metrics }: KindRoom): ScheduledKind {
  const found = metrics.counter('scrub_faults_total', 'Objects that a scrub found at fault.', ['fault']);
  for (const fault of FAULTS) found.inc({ fault }, 0);
  const kind: JobKind = {
    name: 'scrub',
    mayRunTwice: true,
    async run(job) {
      const scrub = await readScrub(job, new PostgresRepositories(pool));
      const room = {
        walk: new PostgresBlobWalk(pool),
        quarantine: new PostgresQuarantine(pool),
        store,
        signal: job.signal,
        pace: createPace(config.gc.scrubRate, job.signal),
        log: (line: string) => job.log(line),
        note: (state: NonNullable<Scrub['from']>, { bytes, totalBytes }: ScrubbedBytes) =>
          job.note({ done: bytes, total: totalBytes, unit: 'bytes', state }),
      };
      const tally = await scrubBlobs(room, scrub);
      for (const fault of FAULTS) found.inc({ fault }, tally[fault] - (scrub.from?.tally[fault] ?? 0));
      return scrub.isDry ? { dryRun: true, ...tally } : { ...tally };
    },
  };
  return { kind, schedule: '@weekly' };
}

async function readScrub({ parameters, state }: JobRun, repositories: PostgresRepositories): Promise<Scrub> {
  const name = parameters['repository'];
  const from = readScrubState(state);
  const repository = name === undefined ? undefined : await repositories.find(parseRepositoryName(name));
  if (name !== undefined && !repository) throw new Error(`there is no repository ${name}`);
  return {
    isDry: isDryRun(parameters),
    ...(repository && { repositoryId: repository.id }),
    ...(from && { from }),
  };
}
