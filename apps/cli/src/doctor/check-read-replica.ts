import { createPool, detectPooler, inspectDatabase } from '@entrepot/metadata';
import type { Findings } from './finding.js';

const TIMEOUTS = { statementTimeoutMs: 2_000, lockTimeoutMs: 1_000 };
const INSTEAD = 'the primary answers in its place; check ENTREPOT_DATABASE_READ_URL';

/** The replica that settings name, which may be missing: everything goes on without it. */
export async function checkReadReplica(url: string | undefined, findings: Findings): Promise<void> {
  if (url === undefined) return;
  try {
    const pool = createPool({ url, role: 'owner', poolSize: 1, pooler: await detectPooler(url), ...TIMEOUTS });
    try {
      const { isReplica } = await inspectDatabase(pool);
      if (isReplica) findings.ok('the read replica answers');
      else findings.warn('the server of ENTREPOT_DATABASE_READ_URL is no replica', INSTEAD);
    } finally {
      await pool.end();
    }
  } catch (error) {
    findings.warn(`the read replica does not answer: ${(error as Error).message}`, INSTEAD);
  }
}
