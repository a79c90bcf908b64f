import type { AbandonedUpload, ObjectKey, Purge } from '@entrepot/content';
import type pg from 'pg';
import { queryRows } from '../database/unit-of-work.js';

interface AbandonedRow {
  readonly id: string;
  readonly repository_name: string;
  readonly offset_bytes: string;
  readonly touched_at: Date;
}

const ABANDONED = `touched_at < now() - $1 * interval '1 millisecond' AND (lease_until IS NULL OR lease_until < now())`;
const ABANDONED_COLUMNS = 'u.id, r.name AS repository_name, u.offset_bytes, u.touched_at';

function toAbandoned({ id, repository_name, offset_bytes, touched_at }: AbandonedRow): AbandonedUpload {
  return { uploadId: id, repositoryName: repository_name, sizeBytes: Number(offset_bytes), touchedAt: touched_at };
}

export class PostgresPurge implements Purge {
  constructor(private readonly pool: pg.Pool) {}

  async doomAbandonedUploads(expiryMs: number, limit: number): Promise<AbandonedUpload[]> {
    const rows = await queryRows<AbandonedRow>(this.pool, {
      name: 'doom-abandoned-uploads',
      text: `
        WITH abandoned AS (
          SELECT id FROM upload WHERE ${ABANDONED} ORDER BY touched_at LIMIT $2 FOR UPDATE SKIP LOCKED),
        gone AS (DELETE FROM upload u USING abandoned a WHERE u.id = a.id RETURNING u.*),
        doomed AS (
          INSERT INTO doomed_object (object_key, reason, size_bytes)
          SELECT object_key, 'upload abandoned', offset_bytes FROM gone
          ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason)
        SELECT ${ABANDONED_COLUMNS} FROM gone u JOIN repository r ON r.id = u.repository_id`,
      values: [expiryMs, limit],
    });
    return rows.map(toAbandoned);
  }

  async abandonedUploads(expiryMs: number, page: { after?: string; limit: number }): Promise<AbandonedUpload[]> {
    const rows = await queryRows<AbandonedRow>(this.pool, {
      name: 'abandoned-uploads',
      text: `
        SELECT ${ABANDONED_COLUMNS} FROM upload u JOIN repository r ON r.id = u.repository_id
        WHERE ${ABANDONED} AND u.id > $3 ORDER BY u.id LIMIT $2`,
      values: [expiryMs, page.limit, page.after ?? '00000000-0000-0000-0000-000000000000'],
    });
    return rows.map(toAbandoned);
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
