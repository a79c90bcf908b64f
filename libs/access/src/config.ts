import { z } from 'zod';
import { MAX_TOKEN_LIFETIME_MS, MIN_TOKEN_LIFETIME_MS } from './tokens/token-limits.js';

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const DAY_MS = 86_400_000;

/** A duration as the other rooms read it: `15s`, `5m`, `30d`; parsed to milliseconds within bounds. */
function duration(minMs: number, maxMs: number) {
  return z
    .string()
    .regex(/^\d{1,9}(ms|s|m|h|d)$/, 'must be a duration such as 15s, 5m or 30d')
    .transform((text) => Number.parseInt(text, 10) * (MS_PER_UNIT[text.replace(/^\d+/, '')] ?? Number.NaN))
    .pipe(z.number().min(minMs).max(maxMs));
}

function count(min: number, max: number) {
  return z.coerce.number().int().min(min).max(max);
}

/** Settings of tokens; issuer and data planes must agree on the first two. */
export const tokenConfig = z.object({
  issuer: z
    .string()
    .min(1)
    .max(255)
    .default('entrepot')
    .meta({ description: 'Issuer of tokens; every service of one installation uses the same' }),
  service: z
    .string()
    .min(1)
    .max(255)
    .regex(/^[\x21\x23-\x5b\x5d-\x7e]+$/, 'must be printable ASCII without space, quote and backslash')
    .default('entrepot')
    .meta({ description: 'Name of the registry in challenges, and the audience of its tokens' }),
  lifetime: duration(MIN_TOKEN_LIFETIME_MS, MAX_TOKEN_LIFETIME_MS)
    .prefault('5m')
    .meta({ unit: 'ms', description: 'How long a token is good, from 1m to 1h' }),
  refreshLifetime: duration(3_600_000, 3650 * DAY_MS)
    .prefault('90d')
    .meta({ unit: 'ms', description: 'How long a refresh token (identity token) is good' }),
  keyRotation: duration(600_000, 3650 * DAY_MS)
    .prefault('30d')
    .meta({ unit: 'ms', description: 'Age at which the signing key gets a successor' }),
});

export type TokenConfig = Readonly<z.output<typeof tokenConfig>>;

/** Settings of logins by password. */
export const loginConfig = z.object({
  accountFailures: count(1, 100_000)
    .default(20)
    .meta({ description: 'Failed logins of one account from one address within the window; then 429' }),
  addressFailures: count(1, 1_000_000)
    .default(100)
    .meta({ description: 'Failed logins from one address within the window; then 429' }),
  window: duration(1_000, DAY_MS)
    .prefault('5m')
    .meta({ unit: 'ms', description: 'Time after the first failure in which failures are counted' }),
  hashConcurrency: count(1, 64).default(2).meta({ description: 'Password hashes computed at once; each takes 19 MiB' }),
  maxWaiting: count(0, 10_000)
    .default(64)
    .meta({ description: 'Logins that may wait for their turn to be hashed; more are 429' }),
});

export type LoginConfig = Readonly<z.output<typeof loginConfig>>;
