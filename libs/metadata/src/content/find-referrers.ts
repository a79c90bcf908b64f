import type { Referrer, ReferrersPage, ReferrersQuery } from '@entrepot/content';
import type pg from 'pg';
import { digestBytes, digestFromBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';

interface ReferrerRow {
  readonly digest: Buffer;
  readonly media_type: string;
  readonly size_bytes: number;
  readonly artifact_type: string | null;
  readonly annotations: Record<string, string> | null;
  readonly found: number;
}

const BEFORE_ALL = Buffer.alloc(0);

/**
 * One page of the manifests that name a subject, in the order of their digests: `last` tells where to go on even where it
 * was deleted meanwhile. The page is cut by size in the database: annotations may be as large as manifests, and a thousand
 * of those are not for one process to hold.
 */
export async function findReferrers(pool: pg.Pool, query: ReferrersQuery): Promise<ReferrersPage> {
  const { repositoryId, subject, artifactType, last, limit, limitBytes } = query;
  const rows = await repeatRows<ReferrerRow>(pool, {
    name: 'referrers',
    text: `
      WITH candidate AS (
        SELECT id, digest, octet_length(payload) AS size_bytes FROM manifest
        WHERE repository_id = $1 AND subject_digest = $2 AND digest > $4 AND deleted_at IS NULL
          AND EXISTS (SELECT FROM repository WHERE id = $1 AND deleted_at IS NULL)
          AND ($3::text IS NULL OR artifact_type = $3)
        ORDER BY digest LIMIT $5 + 1),
      measured AS (
        SELECT id, size_bytes, row_number() OVER in_order AS place, sum(size_bytes) OVER in_order AS total_bytes,
          (SELECT count(*) FROM candidate)::int4 AS found
        FROM candidate WINDOW in_order AS (ORDER BY digest))
      SELECT m.digest, m.media_type, c.size_bytes, m.artifact_type, m.annotations, c.found
      FROM measured c JOIN manifest m USING (id)
      WHERE c.place <= $5 AND (c.place = 1 OR c.total_bytes <= $6)
      ORDER BY c.place`,
    values: [
      repositoryId,
      digestBytes(subject),
      artifactType ?? null,
      last ? digestBytes(last) : BEFORE_ALL,
      limit,
      limitBytes,
    ],
  });
  return { referrers: rows.map(toReferrer), hasMore: (rows[0]?.found ?? 0) > rows.length };
}

function toReferrer(row: ReferrerRow): Referrer {
  return {
    digest: digestFromBytes(row.digest),
    mediaType: row.media_type,
    sizeBytes: row.size_bytes,
    ...(row.artifact_type !== null && { artifactType: row.artifact_type }),
    ...(row.annotations !== null && { annotations: row.annotations }),
  };
}
