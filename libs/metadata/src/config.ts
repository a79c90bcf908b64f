import { parseDuration } from '@entrepot/oci';
import { z } from 'zod';

/**
 * The shared Postgres. A process opens at most `poolSize` connections for each service in it, and the data plane
 * `lookupPoolSize` more.
 */
export const databaseSection = {
  name: 'database',
  schema: z.object({
    url: z
      .string()
      .regex(/^postgres(ql)?:\/\/.+/, 'must start with postgres:// or postgresql://')
      .optional()
      .meta({ secret: true, description: 'External Postgres, 15 or newer, in place of the embedded one.' }),
    poolSize: count().prefault('8').meta({ description: 'Connections of each service for its transactions.' }),
    lookupPoolSize: count().prefault('3').meta({
      description: 'Further connections of the data plane for joined look-ups; more are rarely faster.',
    }),
    statementTimeout: duration().prefault('15s').meta({
      description: 'A statement that runs longer is cancelled, and its request answered with 503.',
    }),
    lockTimeout: duration().prefault('5s').meta({
      description: 'A statement that waits longer for a lock is cancelled, and its request answered with 503.',
    }),
  }),
} as const;

export type DatabaseConfig = Readonly<z.output<typeof databaseSection.schema>>;

function count() {
  return z
    .string()
    .regex(/^\d{1,3}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(1).max(200));
}

function duration() {
  return z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a duration such as 250ms, 15s, 5m, 2h or 7d' }))
    .meta({ unit: 'ms' });
}
