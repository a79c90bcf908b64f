import type { Digest } from '@entrepot/oci';
import type pg from 'pg';
import { digestBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

/** Names of some repositories that hold a blob. */
export async function repositoriesWithBlob(pool: pg.Pool, digest: Digest, limit: number): Promise<string[]> {
  const rows = await repeatRows<{ name: string }>(pool, {
    name: 'repositories-with-blob',
    text: `
      SELECT r.name FROM repository_blob l JOIN repository r ON r.id = l.repository_id
      WHERE l.digest = $1 AND r.deleted_at IS NULL ORDER BY r.name LIMIT $2`,
    values: [digestBytes(digest), limit],
  });
  return rows.map(({ name }) => name);
}

/** How many blobs are in quarantine. */
export async function countQuarantined(pool: pg.Pool): Promise<number> {
  const [row] = await repeatRows<{ blobs: string }>(pool, {
    name: 'count-quarantined',
    text: 'SELECT count(*) AS blobs FROM blob WHERE fault IS NOT NULL',
  });
  return Number(row?.blobs);
}
