import { z } from 'zod';

/**
 * Settings of the shared Postgres. `url` has no default: standalone fills in its embedded server, a service stops
 * without one. Each process opens at most `poolSize` + `lookupPoolSize` connections for the data plane, and
 * `poolSize` for anything else.
 */
export const databaseConfig = z.object({
  url: z.string().min(1).optional().meta({
    secret: true,
    description: 'External Postgres (15 or newer) as a postgres:// URL, in place of the embedded one',
  }),
  poolSize: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(8)
    .meta({ description: 'Connections of a process for units of work' }),
  lookupPoolSize: z.coerce
    .number()
    .int()
    .min(1)
    .max(50)
    .default(4)
    .meta({ description: 'Connections of a data plane for joined look-ups' }),
  statementTimeoutMs: z.coerce
    .number()
    .int()
    .min(100)
    .default(15_000)
    .meta({ description: 'A statement that runs longer is cancelled and answered with 503, in milliseconds' }),
  lockTimeoutMs: z.coerce.number().int().min(10).default(5_000).meta({
    description: 'A statement that waits longer for a lock is cancelled and answered with 503, in milliseconds',
  }),
});

export type DatabaseConfig = z.infer<typeof databaseConfig>;
