import { PasswordHasher, type PasswordAdministration } from '@entrepot/access';
import { PostgresAccessUnitOfWork, PostgresSigningKeys, createPool, withDataSource } from '@entrepot/metadata';
import type { Pool } from 'pg';

function ownerSettings(url: string) {
  return { url, role: 'owner', poolSize: 1, statementTimeoutMs: 20_000, lockTimeoutMs: 10_000 } as const;
}

/** Runs administrative operations on the product's database, as the command line does. */
export function administer<T>(url: string, work: (administration: PasswordAdministration) => Promise<T>): Promise<T> {
  return withDataSource(ownerSettings(url), (source) =>
    work({
      store: new PostgresAccessUnitOfWork(source),
      actor: { id: undefined, name: 'cli:attacks' },
      passwords: new PasswordHasher({ concurrency: 1, maxWaiting: 100, nowMs: Date.now }),
    }),
  );
}

/** Runs work on the product's database as its owner. */
export async function withOwner<T>(url: string, work: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = createPool(ownerSettings(url));
  try {
    return await work(pool);
  } finally {
    await pool.end();
  }
}

/** The signing keys of the product. */
export function withSigningKeys<T>(url: string, work: (keys: PostgresSigningKeys) => Promise<T>): Promise<T> {
  return withOwner(url, (pool) => work(new PostgresSigningKeys(pool)));
}
