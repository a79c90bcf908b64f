import { createPool } from '../database/connection.js';
import { queryRows } from '../database/unit-of-work.js';

/**
 * Ends the leases of all uploads, so that after a crash no client waits for a request that is gone. Only for a start that
 * knows that no other process serves this database. The holders stay named: what they wrote last is read back before it
 * is trusted.
 */
export async function endUploadLeases(url: string): Promise<void> {
  const settings = { role: 'owner', poolSize: 1, statementTimeoutMs: 15_000, lockTimeoutMs: 5_000 } as const;
  const pool = createPool({ url, ...settings });
  try {
    await queryRows(pool, { text: 'UPDATE upload SET lease_until = now() WHERE lease_until > now()' });
  } finally {
    await pool.end();
  }
}
