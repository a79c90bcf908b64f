import { BlockList } from 'node:net';
import {
  counterWithFallback,
  createLogin,
  createTokenVerifier,
  resolveAccess,
  type RevocationList,
  type VerifyingKeys,
} from '@entrepot/access';
import { PostgresAccessReader, PostgresAttemptCounter, PostgresCredentials } from '@entrepot/metadata';
import { RedisWindowCounter, addressGroup, clientAddress, parseNetworks, type RedisLink } from '@entrepot/runtime';
import type { Pool } from 'pg';
import type { RegistryConfig } from './config.js';
import type { AdmitCredentials, Identification } from './http/identify-caller.js';

interface IdentificationParts {
  readonly keys: VerifyingKeys;
  readonly revocations: RevocationList;
  readonly redis: RedisLink | undefined;
}

/** How the data plane tells its callers: by their token, or by the credentials of a user. */
export function createIdentification(
  { token, login, http }: RegistryConfig,
  pool: Pool,
  { keys, revocations, redis }: IdentificationParts,
): Identification {
  const verifier = createTokenVerifier({
    issuer: token.issuer,
    audience: token.service,
    keys: () => keys.current(),
    onUnknownKid: () => keys.refreshForUnknownKid(),
    revocations,
    nowMs: Date.now,
  });
  const windowMs = login.window;
  const failuresBy = (prefix: string) =>
    counterWithFallback(
      redis && new RedisWindowCounter(redis, { name: `${prefix}-failures`, windowMs }),
      new PostgresAttemptCounter(pool, { prefix, windowMs }),
    );
  const authenticate = createLogin({
    config: login,
    credentials: new PostgresCredentials(pool),
    accountFailures: failuresBy('account'),
    addressFailures: failuresBy('address'),
    upgradesHashes: false,
  });
  const trustedProxies = parseNetworks(http.trustedProxies) ?? new BlockList();
  const reader = new PostgresAccessReader(pool);
  const admit: AdmitCredentials = async ({ scopes, ...attempt }) => {
    const { bearer, granted } = await resolveAccess(reader, await authenticate(attempt), scopes);
    return { ...granted, accountId: bearer.accountId, accountName: bearer.accountName };
  };
  return { verifier, admit, addressOf: (request) => addressGroup(clientAddress(request, trustedProxies)) };
}
