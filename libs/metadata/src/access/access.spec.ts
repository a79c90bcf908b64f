import { administrationSuite } from '@entrepot/access/administration/administration.suite';
import { restorationSuite } from '@entrepot/access/administration/restore-repository.suite';
import { loginSuite } from '@entrepot/access/accounts/login.suite';
import type { LoginSuiteStores } from '@entrepot/access/accounts/login.suite';
import { attemptCounterSuite } from '@entrepot/access/ports/attempt-counter.suite';
import { signingKeysSuite } from '@entrepot/access/tokens/signing-keys.suite';
import { withTestDatabase } from '@entrepot/testkit/postgres';
import type { Pool } from 'pg';
import type { DataSource } from 'typeorm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  createDataSource,
  createPool,
  migrate,
  PostgresAccessChanges,
  PostgresAccessDirectory,
  PostgresAccessReader,
  PostgresAccessUnitOfWork,
  PostgresAttemptCounter,
  PostgresCredentials,
  PostgresPublicKeys,
  PostgresRefreshTokens,
  PostgresSigningKeys,
} from '../index.js';
import type { DatabaseRole } from '../index.js';

const database = withTestDatabase({ prepare: (url) => migrate(url) });

/** Each store in the role of the service that uses it: what a role may not do, fails here. */
let pools: Readonly<Record<DatabaseRole, Pool>>;
let source: DataSource;

function settings(role: DatabaseRole) {
  return { url: database.url, role, poolSize: 4, statementTimeoutMs: 10_000, lockTimeoutMs: 5_000 };
}

beforeAll(async () => {
  pools = {
    auth: createPool(settings('auth')),
    registry: createPool(settings('registry')),
    jobrunner: createPool(settings('jobrunner')),
    owner: createPool(settings('owner')),
  };
  source = await createDataSource(settings('owner')).initialize();
});

afterAll(async () => {
  await source.destroy();
  await Promise.all(Object.values(pools).map((pool) => pool.end()));
});

function openStores(): LoginSuiteStores {
  const counter = (prefix: string) => new PostgresAttemptCounter(pools.auth, { prefix, windowMs: 60_000 });
  return {
    store: new PostgresAccessUnitOfWork(source),
    reader: new PostgresAccessReader(pools.auth),
    feed: new PostgresAccessChanges(pools.registry),
    directory: new PostgresAccessDirectory(source),
    credentials: new PostgresCredentials(pools.auth),
    refreshTokens: new PostgresRefreshTokens(pools.auth),
    signingKeys: new PostgresSigningKeys(pools.auth),
    accountFailures: counter('account'),
    addressFailures: counter('address'),
    async auditOf(target) {
      const text = 'SELECT action, detail FROM audit_event WHERE target = $1 ORDER BY id';
      return (await pools.owner.query(text, [target])).rows;
    },
  };
}

describe('administration in Postgres', () => {
  administrationSuite(openStores);
  restorationSuite(openStores);
});

describe('logins in Postgres', () => {
  loginSuite(openStores);
});

describe('attempts counted in Postgres', () => {
  attemptCounterSuite((windowMs) => new PostgresAttemptCounter(pools.registry, { prefix: 'suite', windowMs }));
});

describe('signing keys in Postgres', () => {
  signingKeysSuite(async () => {
    await pools.owner.query('DELETE FROM signing_key');
    return new PostgresSigningKeys(pools.auth);
  });

  it('are public for the data plane, and no more', async () => {
    await new PostgresPublicKeys(pools.registry).listPublished();
    await expect(new PostgresSigningKeys(pools.registry).listSealed()).rejects.toThrow('permission denied');
  });
});

describe('the roles', () => {
  it.each(['UPDATE account SET is_admin = true', 'SELECT * FROM manifest', 'INSERT INTO access_grant DEFAULT VALUES'])(
    'auth may not: %s',
    async (statement) => {
      await expect(pools.auth.query(statement)).rejects.toThrow('permission denied');
    },
  );

  it.each(['UPDATE account SET password_hash = $$x$$', 'SELECT * FROM refresh_token', 'DELETE FROM repository'])(
    'registry may not: %s',
    async (statement) => {
      await expect(pools.registry.query(statement)).rejects.toThrow('permission denied');
    },
  );
});
