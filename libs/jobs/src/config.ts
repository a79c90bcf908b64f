import { parseDuration } from '@entrepot/oci';
import { z } from 'zod';

/** How jobs are run, and for how long what they did can be read. */
export const jobsSection = {
  name: 'jobs',
  schema: z.object({
    concurrency: count(1, 256).prefault('4').meta({ description: 'Jobs that one jobrunner runs at the same time.' }),
    capacity: capacity().prefault('').meta({
      description:
        'How many jobs of a kind one jobrunner runs at the same time, such as `review=2,scrub=1`. A kind that is not named: one.',
    }),
    retries: count(0, 100).prefault('3').meta({
      description: 'How often a job that failed is tried again, unless the job says otherwise.',
    }),
    retryDelay: duration().prefault('10s').meta({
      description: 'Time before a job that failed is tried again; it doubles each time, up to an hour.',
    }),
    keep: count(0, 1_000_000).prefault('1000').meta({
      description:
        'How many jobs that ended are kept, with their logs: so many that somebody asked for, and as many that a schedule began.',
    }),
    keepAge: duration().prefault('30d').meta({
      description: 'How long after its end a job is kept at most; whichever of the two limits comes first.',
    }),
    logLines: count(1, 1_000_000).prefault('10000').meta({ description: 'Lines that are kept of the log of one job.' }),
  }),
} as const;

export type JobsConfig = Readonly<z.output<typeof jobsSection.schema>>;

function count(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(min).max(max));
}

function duration() {
  return z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a duration such as 250ms, 15s, 5m, 2h or 7d' }))
    .meta({ unit: 'ms' });
}

function capacity() {
  return z
    .string()
    .regex(/^\s*([a-z][a-z-]*=\d{1,4}\s*(,\s*|$))*$/, 'must be a list such as review=2,scrub=1')
    .transform((text): Readonly<Record<string, number>> =>
      Object.fromEntries([...text.matchAll(/([a-z-]+)=(\d+)/g)].map(([, kind, amount]) => [kind, Number(amount)])),
    );
}
