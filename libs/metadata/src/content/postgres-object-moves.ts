import type { BoundRows, FinishedMove, MisplacedBlob, ObjectKey, ObjectMoves } from '@entrepot/content';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

export class PostgresObjectMoves implements ObjectMoves {
  constructor(private readonly pool: pg.Pool) {}

  async countMisplaced(keyPattern: string): Promise<{ blobs: number; sizeBytes: number }> {
    const [row] = await repeatRows<{ blobs: string; size_bytes: string }>(this.pool, {
      name: 'count-misplaced-blobs',
      text: 'SELECT count(*) AS blobs, coalesce(sum(size_bytes), 0) AS size_bytes FROM blob WHERE object_key !~ $1',
      values: [keyPattern],
    });
    return { blobs: Number(row?.blobs), sizeBytes: Number(row?.size_bytes) };
  }

  async misplaced(keyPattern: string, page: { after?: ObjectKey; limit: number }): Promise<MisplacedBlob[]> {
    const rows = await repeatRows<{ digest: Buffer; size_bytes: string; object_key: ObjectKey }>(this.pool, {
      name: 'misplaced-blobs',
      text: `
        SELECT digest, size_bytes, object_key FROM blob
        WHERE object_key !~ $1 AND object_key > $2 ORDER BY object_key LIMIT $3`,
      values: [keyPattern, page.after ?? '', page.limit],
    });
    return rows.map(({ digest, size_bytes, object_key: objectKey }) => ({
      digest: digestFromBytes(digest),
      sizeBytes: Number(size_bytes),
      objectKey,
    }));
  }

  async countBound(keyPattern: string): Promise<BoundRows> {
    const [row] = await repeatRows<{ uploads: string; doomed: string }>(this.pool, {
      name: 'count-bound-rows',
      text: `
        SELECT (SELECT count(*) FROM upload WHERE object_key !~ $1) AS uploads,
               (SELECT count(*) FROM doomed_object WHERE object_key !~ $1) AS doomed`,
      values: [keyPattern],
    });
    return { uploads: Number(row?.uploads), doomed: Number(row?.doomed) };
  }

  async hold(key: ObjectKey, holdMs: number): Promise<void> {
    await repeatRows(this.pool, {
      name: 'hold-object',
      text: `
        INSERT INTO doomed_object (object_key, reason, due_at)
        VALUES ($1, 'being copied', now() + $2 * interval '1 millisecond')
        ON CONFLICT (object_key) DO UPDATE SET due_at = excluded.due_at`,
      values: [key, holdMs],
    });
  }

  /** A row that the purge has claimed counts its attempts: from then on the object may be going. */
  async holdOn(key: ObjectKey, holdMs: number): Promise<boolean> {
    const rows = await repeatRows(this.pool, {
      name: 'hold-object-on',
      text: `
        UPDATE doomed_object SET due_at = now() + $2 * interval '1 millisecond'
        WHERE object_key = $1 AND attempts = 0 RETURNING object_key`,
      values: [key, holdMs],
    });
    return rows.length > 0;
  }

  /**
   * One statement and so one transaction. `held` locks the copy's row before anything else: a purge that claimed it first
   * has counted an attempt, one that comes later skips it. `moved` waits for who changes the blob, and looks at its key
   * again: everything hangs on it.
   */
  async finish({ digest, from, held, to, residue, keepMs }: FinishedMove): Promise<boolean> {
    const query = {
      name: 'finish-move',
      text: `
        WITH held AS (
          SELECT object_key FROM doomed_object WHERE object_key = $3 AND attempts = 0 FOR UPDATE),
        moved AS (
          UPDATE blob b SET object_key = $4 FROM held
          WHERE b.digest = $1 AND b.object_key = $2 RETURNING b.digest, b.size_bytes),
        freed AS (
          DELETE FROM doomed_object d USING held, moved WHERE d.object_key = held.object_key),
        doomed AS (
          INSERT INTO doomed_object (object_key, reason, due_at, size_bytes)
          SELECT $2, 'moved to another store', now() + $6 * interval '1 millisecond', size_bytes FROM moved
          UNION ALL SELECT $5, 'left beside a blob', now(), NULL FROM moved WHERE $5::text IS NOT NULL
          ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at,
            size_bytes = excluded.size_bytes)
        SELECT digest FROM moved`,
      values: [digestBytes(digest), from, held, to, residue ?? null, keepMs],
    };
    const check = {
      name: 'finished-move',
      text: 'SELECT digest FROM blob WHERE digest = $1 AND object_key = $2',
      values: [digestBytes(digest), to],
    };
    const rows = await repeatRows(this.pool, query, check);
    return rows.length > 0;
  }

  /** Also where the purge was there already and forgot the key: what was written since must not be forgotten. */
  async giveUp(key: ObjectKey, to?: ObjectKey): Promise<void> {
    await repeatRows(this.pool, {
      name: 'give-up-object',
      text: `
        INSERT INTO doomed_object (object_key, reason)
        SELECT $1, 'copy given up' WHERE NOT EXISTS (SELECT FROM blob WHERE object_key = $2)
        ON CONFLICT (object_key) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
      values: [key, to ?? null],
    });
  }
}
