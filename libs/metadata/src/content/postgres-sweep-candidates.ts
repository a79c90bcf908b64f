import type {
  Candidate,
  JudgedCandidates,
  JudgedPage,
  ObjectKey,
  SweepCandidates,
  UnknownObject,
} from '@entrepot/content';
import type pg from 'pg';
import { queryRows, repeatRows } from '../database/unit-of-work.js';
import { BELONGS_TO } from './postgres-object-ledger.js';

interface JudgedRow {
  readonly doomed_key: ObjectKey;
  readonly objects: number;
  readonly size_bytes: string;
  readonly modified_at: Date;
  readonly first_seen_at: Date;
  readonly is_doomed: boolean;
}

export class PostgresSweepCandidates implements SweepCandidates {
  constructor(private readonly pool: pg.Pool) {}

  async find(keys: readonly ObjectKey[]): Promise<Map<ObjectKey, Candidate>> {
    const rows = await repeatRows<{ object_key: ObjectKey; first_seen_at: Date }>(this.pool, {
      name: 'find-candidates',
      text: 'SELECT object_key, first_seen_at FROM sweep_candidate WHERE object_key = ANY ($1)',
      values: [keys],
    });
    return new Map(rows.map((row) => [row.object_key, { key: row.object_key, firstSeenAt: row.first_seen_at }]));
  }

  /**
   * A key that one run meets twice, as it goes on where another worker stopped or as pieces and parts of one upload, is added
   * up by neither: it is as large and as young as it was seen at most.
   */
  async note(run: string, unknown: readonly UnknownObject[]): Promise<number> {
    const rows = await repeatRows<{ is_new: boolean }>(this.pool, {
      name: 'note-candidates',
      text: `
        INSERT INTO sweep_candidate AS c
          (object_key, upload_key, blob_key, doomed_key, size_bytes, modified_at, first_run, last_run)
        SELECT object_key, upload_key, blob_key, doomed_key, size_bytes, modified_at, $1, $1
        FROM unnest($2::text[], $3::text[], $4::text[], $5::text[], $6::bigint[], $7::timestamptz[])
          AS u (object_key, upload_key, blob_key, doomed_key, size_bytes, modified_at)
        ORDER BY object_key
        ON CONFLICT (object_key) DO UPDATE SET
          upload_key = excluded.upload_key, blob_key = excluded.blob_key, doomed_key = excluded.doomed_key,
          size_bytes = CASE WHEN c.last_run = $1 THEN greatest(c.size_bytes, excluded.size_bytes)
            ELSE excluded.size_bytes END,
          modified_at = CASE WHEN c.last_run = $1 THEN greatest(c.modified_at, excluded.modified_at)
            ELSE excluded.modified_at END,
          last_run = $1
        RETURNING xmax = 0 AS is_new`,
      values: [
        run,
        unknown.map(({ key }) => key),
        unknown.map(({ upload }) => upload),
        unknown.map(({ beside }) => beside ?? null),
        unknown.map(({ doomedKey }) => doomedKey),
        unknown.map(({ sizeBytes }) => sizeBytes),
        unknown.map(({ modifiedAt }) => modifiedAt),
      ],
    });
    return rows.filter((row) => row.is_new).length;
  }

  /**
   * One statement, and so one moment: a row that knows the object is seen in whichever table it is just then. Beside a blob
   * the blob must still be the only one that knows it, with the object that is to stay.
   */
  async judge({ run, keyPattern, olderThan, after, limit }: JudgedPage): Promise<JudgedCandidates[]> {
    const rows = await queryRows<JudgedRow>(this.pool, {
      name: 'judge-candidates',
      text: `
        WITH page AS (
          SELECT doomed_key, min(upload_key) AS upload_key, min(blob_key) AS blob_key, count(*)::int AS objects,
            sum(size_bytes) AS size_bytes, max(modified_at) AS modified_at, min(first_seen_at) AS first_seen_at,
            bool_and(first_run <> $1 AND last_run = $1) AS was_seen_twice
          FROM sweep_candidate WHERE doomed_key > $2 AND doomed_key ~ $3
          GROUP BY doomed_key HAVING bool_or(last_run = $1) ORDER BY doomed_key LIMIT $4),
        doomed AS (
          INSERT INTO doomed_object (object_key, reason, size_bytes)
          SELECT doomed_key, 'no row knew it', size_bytes FROM page p
          WHERE was_seen_twice AND modified_at <= $5
            AND NOT EXISTS (SELECT FROM upload WHERE object_key = p.upload_key)
            AND NOT EXISTS (SELECT FROM doomed_object d WHERE ${BELONGS_TO('d.object_key', 'p.upload_key')})
            AND (SELECT array_agg(b.object_key) FROM blob b WHERE ${BELONGS_TO('b.object_key', 'p.upload_key')})
              IS NOT DISTINCT FROM CASE WHEN p.blob_key IS NULL THEN NULL ELSE ARRAY[p.blob_key] END
          ON CONFLICT (object_key) DO UPDATE SET due_at = now()
          RETURNING object_key),
        forgotten AS (DELETE FROM sweep_candidate c USING doomed d WHERE c.doomed_key = d.object_key)
        SELECT p.*, d.object_key IS NOT NULL AS is_doomed
        FROM page p LEFT JOIN doomed d ON d.object_key = p.doomed_key ORDER BY p.doomed_key`,
      values: [run, after ?? '', keyPattern, limit, olderThan],
    });
    return rows.map((row) => ({
      doomedKey: row.doomed_key,
      objects: row.objects,
      sizeBytes: Number(row.size_bytes),
      modifiedAt: row.modified_at,
      firstSeenAt: row.first_seen_at,
      isDoomed: row.is_doomed,
    }));
  }

  async forgetUnseen(run: string, keyPattern: string): Promise<number> {
    const rows = await queryRows(this.pool, {
      name: 'forget-unseen-candidates',
      text: 'DELETE FROM sweep_candidate WHERE last_run <> $1 AND object_key ~ $2 RETURNING object_key',
      values: [run, keyPattern],
    });
    return rows.length;
  }
}
