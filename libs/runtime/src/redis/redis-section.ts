import { z } from 'zod';
import { section, type SectionValues } from '../config/section.js';
import { parseRedisAddress, type RedisAddress } from './redis-address.js';

/** The Redis that the processes of an installation share, where there is one. */
export const redisSection = section(
  'redis',
  z.object({
    url: redisAddress().optional().meta({
      secret: true,
      description:
        'Redis for queues, failed logins and wake-ups: `redis://[user:password@]host[:port][/database]`, `redis+sentinel://host:port,…/master[/database]` or `redis+cluster://host:port,…`; `rediss…` for TLS. It must not drop keys (`maxmemory-policy noeviction`). Unset: Postgres serves for all.',
    }),
    prefix: z
      .string()
      .regex(/^[a-z0-9_-]{1,32}$/, 'must be 1 to 32 of a-z, 0-9, - and _')
      .prefault('entrepot')
      .meta({
        description: 'Beginning of every key in Redis; installations that share a Redis need different ones.',
      }),
    ca: z.string().min(1).optional().meta({
      description: "PEM file with the certificates that Redis' own is checked by. Unset: those of Node.",
    }),
  }),
);

export type RedisConfig = SectionValues<typeof redisSection>;

function redisAddress() {
  return z.string().transform((text, context): RedisAddress => {
    const address = parseRedisAddress(text);
    if (typeof address !== 'string') return address;
    context.addIssue({ code: 'custom', message: address });
    return z.NEVER;
  });
}
