import { BlockList } from 'node:net';
import { counterWithFallback, loginSection, tokenSection } from '@entrepot/access';
import { PostgresAttemptCounter, databaseSection, openPools } from '@entrepot/metadata';
import {
  RedisWindowCounter,
  addressGroup,
  clientAddress,
  httpSection,
  parseNetworks,
  redisSection,
  secretsSection,
  type ConfigOf,
  type RunningService,
  type ServiceResources,
} from '@entrepot/runtime';
import { createAuth } from './create-auth.js';
import { AUTH_ROUTES } from './http/auth.controller.js';

/** Settings that the token issuer reads, beside those of every service. */
export const authSections = [
  httpSection,
  databaseSection,
  redisSection,
  secretsSection,
  tokenSection,
  loginSection,
] as const;

/** The token issuer: `/auth/token` and `/auth/jwks` over the shared Postgres. */
export async function startAuth(
  config: ConfigOf<typeof authSections>,
  resources: ServiceResources,
): Promise<RunningService> {
  const { database, login, http } = config;
  const { logger, redis } = resources;
  const pools = await openPools('auth', database, resources);
  const pool = pools.open('auth', database.poolSize);
  const trustedProxies = parseNetworks(http.trustedProxies) ?? new BlockList();
  const windowMs = login.window;
  const failuresBy = (prefix: string) =>
    counterWithFallback(
      redis && new RedisWindowCounter(redis, { name: `${prefix}-failures`, windowMs }),
      new PostgresAttemptCounter(pool, { prefix, windowMs }),
    );
  const auth = await createAuth(config, {
    pool,
    logger,
    accountFailures: failuresBy('account'),
    addressFailures: failuresBy('address'),
    addressOf: (request) => addressGroup(clientAddress(request, trustedProxies)),
  });
  return {
    mounts: [{ prefix: '/auth', handler: auth.handler, options: { service: 'auth', routes: AUTH_ROUTES } }],
    checks: { database: () => pool.query('SELECT 1') },
    isReady: () => true,
    async close() {
      await auth.close();
      await pools.end();
    },
  };
}
