import { createPool, detectPooler, pendingMigrations } from '@entrepot/metadata';
import { CommandFailure } from '../exit-codes.js';
import { ownerSettings } from './open-administration.js';

/** Throws `CommandFailure` where the database lacks a migration that this version needs: only `migrate` may change it. */
export async function refuseOldSchema(databaseUrl: string): Promise<void> {
  const pooler = await detectPooler(databaseUrl).catch(explainUnreachable);
  const pool = createPool({ ...ownerSettings(databaseUrl), poolSize: 1, pooler });
  try {
    const pending = await pendingMigrations(pool).catch(explainUnreachable);
    if (pending.length === 0) return;
    const names = pending.map(({ name }) => name).join(', ');
    throw new CommandFailure('unavailable', `the database lacks ${names}; run 'entrepot migrate' first`);
  } finally {
    await pool.end();
  }
}

function explainUnreachable(cause: Error): never {
  const reason = cause.cause instanceof Error ? cause.cause : cause;
  const message = `the database cannot be used (${reason.message}); check ENTREPOT_DATABASE_URL and that it runs`;
  throw new CommandFailure('unavailable', message, { cause });
}
