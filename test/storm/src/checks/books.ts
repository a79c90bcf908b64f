import { usageDifferences } from '@entrepot/metadata';
import type { Pool } from 'pg';
import { Violation } from '../model/violation.js';
import type { Cluster } from '../world/cluster.js';

/** What was appended and folded is what a recount finds (INV-9). */
export async function checkUsage(database: Pool): Promise<string> {
  const differences = await usageDifferences(database);
  if (differences.length > 0) {
    const [first] = differences;
    throw new Violation('INV-9', `${differences.length} figures are wrong, such as ${JSON.stringify(first)}`);
  }
  return 'usage is what a recount finds';
}

/** The product's own check of rows against rows, rows against the store, and all bytes (INV-2, INV-5, INV-6). */
export async function checkByFsck(run: NonNullable<Cluster['run']>): Promise<string> {
  const output = await run(['fsck', '--deep']).catch((error: unknown) => {
    throw new Violation('INV-5', `fsck: ${(error as Error).message}`);
  });
  return `fsck --deep found nothing${output.trim() === '' ? '' : `: ${output.trim()}`}`;
}
