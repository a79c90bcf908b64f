import { parseDuration } from '@entrepot/oci';
import { z } from 'zod';
import { MAX_TOKEN_LIFETIME_MS, MIN_TOKEN_LIFETIME_MS } from './tokens/token-limits.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** Tokens of the registry. Issuer and data planes must agree on `issuer` and `service`. */
export const tokenSection = {
  name: 'token',
  schema: z.object({
    issuer: printable().prefault('entrepot').meta({
      description: 'Issuer of tokens; the same for every service of an installation.',
    }),
    service: printable().prefault('entrepot').meta({
      description: 'Name of the registry in challenges, and the audience of its tokens.',
    }),
    lifetime: duration(MIN_TOKEN_LIFETIME_MS, MAX_TOKEN_LIFETIME_MS).prefault('5m').meta({
      description: 'How long a token is good, from `1m` to `1h`.',
    }),
    refreshLifetime: duration(HOUR_MS, 3650 * DAY_MS)
      .prefault('90d')
      .meta({
        description: 'How long an identity token, which `docker login` keeps in place of the password, is good.',
      }),
    keyRotation: duration(HOUR_MS, 3650 * DAY_MS)
      .prefault('30d')
      .meta({
        description: 'Age at which the key that signs tokens gets a successor.',
      }),
  }),
} as const;

/** Logins with a password. */
export const loginSection = {
  name: 'login',
  schema: z.object({
    accountFailures: count(1).prefault('20').meta({
      description: 'Failed logins of one account from one address within the window; then 429.',
    }),
    addressFailures: count(1).prefault('100').meta({
      description: 'Failed logins from one address within the window; then 429.',
    }),
    window: duration(1000, DAY_MS).prefault('5m').meta({
      description: 'How long failed logins are counted, from the first one on.',
    }),
    hashConcurrency: count(1).prefault('2').meta({
      description: 'Password hashes that a process computes at once; each takes 19 MiB and a thread.',
    }),
    maxWaiting: count(0).prefault('64').meta({
      description: 'Logins that may wait for their hash; one more is 429.',
    }),
  }),
} as const;

export type TokenConfig = Readonly<z.output<typeof tokenSection.schema>>;
export type LoginConfig = Readonly<z.output<typeof loginSection.schema>>;

/** Printable ASCII without space, quote and backslash: what needs no escape in a challenge. */
function printable() {
  return z
    .string()
    .max(255)
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be printable ASCII without space, quote and backslash');
}

function count(minimum: number) {
  return z
    .string()
    .regex(/^\d{1,6}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().int().min(minimum));
}

function duration(minMs: number, maxMs: number) {
  return z
    .string()
    .transform((text) => parseDuration(text) ?? Number.NaN)
    .pipe(z.number({ error: 'must be a duration such as 15s, 5m, 2h or 30d' }).min(minMs).max(maxMs))
    .meta({ unit: 'ms' });
}
