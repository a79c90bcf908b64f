import type { IncomingMessage, RequestListener } from 'node:http';
import { answerLoginError, basicChallenge, createLogin, createTokenIssuer, SigningKeyRing } from '@entrepot/access';
import type { AttemptCounter, LoginConfig, TokenConfig } from '@entrepot/access';
import {
  PostgresAccessReader,
  PostgresCredentials,
  PostgresRefreshTokens,
  PostgresSigningKeys,
} from '@entrepot/metadata';
import { createNestHandler, ringSealer } from '@entrepot/runtime';
import type { Logger, SecretRing } from '@entrepot/runtime';
import { authModule } from './auth.module.js';
import { AuthRoom } from './http/auth.controller.js';

export interface AuthConfig {
  readonly token: TokenConfig;
  readonly login: LoginConfig;
  /** Seals the private halves of the signing keys. */
  readonly secrets: { readonly key: SecretRing };
}

export interface AuthResources {
  /** Connected in the role `auth`; stays the caller's. */
  readonly pool: ConstructorParameters<typeof PostgresAccessReader>[0];
  readonly accountFailures: AttemptCounter;
  readonly addressFailures: AttemptCounter;
  readonly logger: Logger;
  /** Address that failed logins are counted by. */
  addressOf(request: IncomingMessage): string;
}

export interface Auth {
  /** To be mounted on `/auth`. */
  readonly handler: RequestListener;
  close(): Promise<void>;
}

/**
 * The token issuer, ready to answer: a signing key exists. Rejects with AccessError KEY_UNREADABLE where the secrets do
 * not open the keys in the database.
 */
export async function createAuth(config: AuthConfig, resources: AuthResources): Promise<Auth> {
  const { pool, logger } = resources;
  const keys = createKeyRing(config, pool);
  await keys.start((error) => logger.warn({ err: error }, 'the signing keys could not be refreshed'));
  const issue = createTokenIssuer({
    reader: new PostgresAccessReader(pool),
    signingKey: () => keys.current(),
    issuer: config.token.issuer,
    service: config.token.service,
    lifetimeMs: config.token.lifetime,
    nowMs: Date.now,
  });
  const room = new AuthRoom({
    authenticate: createLogin({
      config: config.login,
      credentials: new PostgresCredentials(pool),
      accountFailures: resources.accountFailures,
      addressFailures: resources.addressFailures,
      upgradesHashes: true,
    }),
    issue,
    refreshTokens: new PostgresRefreshTokens(pool),
    keys,
    service: config.token.service,
    refreshLifetimeMs: config.token.refreshLifetime,
    addressOf: (request) => resources.addressOf(request),
  });
  const challenge = basicChallenge(config.token.service);
  const nest = await createNestHandler(authModule(room), {
    logger,
    mapError: (error) => answerLoginError(error, challenge),
  });
  return {
    handler: nest.handler,
    async close() {
      await keys.stop();
      await nest.close();
    },
  };
}

function createKeyRing({ token, secrets }: AuthConfig, pool: AuthResources['pool']): SigningKeyRing {
  return new SigningKeyRing({
    store: new PostgresSigningKeys(pool),
    sealer: ringSealer(secrets.key),
    rotationMs: token.keyRotation,
    nowMs: Date.now,
  });
}
