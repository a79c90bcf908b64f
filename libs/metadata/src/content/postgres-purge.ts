import type { ObjectKey, Purge } from '@entrepot/content';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

export class PostgresPurge implements Purge {
  constructor(private readonly pool: pg.Pool) {}

  async doomAbandonedUploads(expiryMs: number, limit: number): Promise<number> {
    const rows = await queryRows(this.pool, {
      name: 'doom-abandoned-uploads',
      text: `
        WITH abandoned AS (
          SELECT id FROM upload
          WHERE touched_at < now() - $1 * interval '1 millisecond' AND (lease_until IS NULL OR lease_until < now())
          ORDER BY touched_at LIMIT $2 FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM upload u USING abandoned a WHERE u.id = a.id RETURNING u.object_key)
        INSERT INTO doomed_object (object_key, reason) SELECT object_key, 'upload abandoned' FROM gone
        RETURNING object_key`,
      values: [expiryMs, limit],
    });
    return rows.length;
  }

  async forgetFinishedUploads(keptMs: number, limit: number): Promise<number> {
    const [row] = await queryRows<{ forgotten: number }>(this.pool, {
      name: 'forget-finished-uploads',
      text: `
        WITH past AS (
          SELECT upload_id FROM finished_upload
          WHERE finished_at < now() - $1 * interval '1 millisecond' ORDER BY finished_at LIMIT $2),
        gone AS (DELETE FROM finished_upload f USING past p WHERE f.upload_id = p.upload_id RETURNING f.upload_id)
        SELECT count(*)::int AS forgotten FROM gone`,
      values: [keptMs, limit],
    });
    return row?.forgotten ?? 0;
  }

  /** A claim lasts a minute at first and doubles up to a day: the time until the object is tried again. */
  async claimDoomedObjects(limit: number): Promise<ObjectKey[]> {
    const rows = await queryRows<{ object_key: ObjectKey }>(this.pool, {
      name: 'claim-doomed-objects',
      text: `
        WITH due AS (
          SELECT object_key FROM doomed_object WHERE due_at <= now()
          ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED)
        UPDATE doomed_object d
        SET attempts = d.attempts + 1, due_at = now() + least(interval '1 minute' * 2 ^ least(d.attempts, 20), interval '1 day')
        FROM due WHERE d.object_key = due.object_key
        RETURNING d.object_key`,
      values: [limit],
    });
    return rows.map((row) => row.object_key);
  }

  async forgetDoomedObjects(keys: readonly ObjectKey[]): Promise<{ objects: number; bytes: number }> {
    const [row] = await queryRows<{ objects: string; bytes: string }>(this.pool, {
      name: 'forget-doomed-objects',
      text: `
        WITH gone AS (DELETE FROM doomed_object WHERE object_key = ANY ($1::text[]) RETURNING size_bytes),
        freed AS (SELECT count(*) AS objects, coalesce(sum(size_bytes), 0) AS bytes FROM gone),
        noted AS (
          INSERT INTO usage_store_delta (freed_objects, freed_bytes) SELECT objects, bytes FROM freed WHERE objects > 0)
        SELECT objects, bytes FROM freed`,
      values: [keys],
    });
    return { objects: Number(row?.objects), bytes: Number(row?.bytes) };
  }
}
