import { parseDuration } from '@entrepot/oci';
import { z } from 'zod';

/**
 * The shared Postgres. A process opens at most `poolSize` connections for each service in it, and the data plane
 * `lookupPoolSize` more, twice where it has a read replica; docs/database.md adds up a deployment.
 */
export const databaseSection = {
  name: 'database',
  schema: z.object({
    url: postgresUrl()
      .optional()
      .meta({ secret: true, description: 'External Postgres, 15 or newer, in place of the embedded one.' }),
    directUrl: postgresUrl().optional().meta({
      secret: true,
      description:
        'The same Postgres without a pooler between, for migrations, administration and queues; default is the URL.',
    }),
    readUrl: postgresUrl().optional().meta({
      secret: true,
      description:
        'A streaming replica that may answer reads of content by digest; what it lacks is asked of the primary.',
    }),
    maxReplicaLag: duration().prefault('5s').meta({
      description:
        'A replica that is not known to lag less is not asked, so that deleted content is served for no longer than this.',
    }),
    pooler: z.enum(['auto', 'none', 'transaction']).prefault('auto').meta({
      description:
        'What the URLs lead to: Postgres itself, or a pooler such as PgBouncer that lends a connection for a transaction; `auto` finds out.',
    }),
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
    idleInTransactionTimeout: duration().prefault('1m').meta({
      description: 'A transaction that waits longer for its next statement is ended by Postgres, with its connection.',
    }),
    patience: duration().prefault('5s').meta({
      description:
        'How long a request waits for a Postgres that restarts or fails over before it is answered with 503, where its work may safely be begun again.',
    }),
  }),
} as const;

export type DatabaseConfig = Readonly<z.output<typeof databaseSection.schema>>;

function postgresUrl() {
  return z.string().regex(/^postgres(ql)?:\/\/.+/, 'must start with postgres:// or postgresql://');
}

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
