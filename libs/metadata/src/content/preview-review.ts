import type { PreviewedRemovals, ReviewPreview, ReviewTerms } from '@entrepot/content';
import type pg from 'pg';
import { runUnitOfWork } from '../database/unit-of-work.js';
import { previewManifests } from './preview-manifests.js';

/** Whoever asks wants an answer, and holds no lock meanwhile. */
const STATEMENT_TIMEOUT_MS = 600_000;

interface PreviewRow {
  readonly is_now: boolean;
  readonly repositories: string;
  readonly manifests: string;
  readonly links: string;
  readonly blobs: string;
  readonly objects: string;
  readonly bytes: string;
}

/**
 * What reviews would remove. $1 and $2 are manifests that go now and later, $3 says whether one review follows the whole
 * chain (grace 0), $4 is the time of undo. A link goes if all that refers to it does, a blob if all its links do.
 */
const PREVIEW = `
  WITH going AS (
    SELECT id, true AS is_now FROM unnest($1::bigint[]) AS g (id)
    UNION ALL SELECT id, false FROM unnest($2::bigint[]) AS g (id)),
  repositories AS (
    SELECT id, deleted_at <= now() - $4 * interval '1 millisecond' AS is_now FROM repository WHERE deleted_at IS NOT NULL),
  candidate AS (
    SELECT repository_id, digest FROM link_review
    UNION SELECT b.repository_id, b.digest FROM manifest_blob b JOIN going g ON g.id = b.manifest_id
    UNION SELECT s.repository_id, s.digest FROM sparse_reference s JOIN going g ON g.id = s.manifest_id),
  links AS (
    SELECT l.repository_id, l.digest,
      coalesce(t.due_at <= now(), true) AND n.going_now = n.references AND (n.references = 0 OR $3) AS is_now
    FROM candidate c
    JOIN repository_blob l ON l.repository_id = c.repository_id AND l.digest = c.digest
    LEFT JOIN link_review t ON t.repository_id = c.repository_id AND t.digest = c.digest
    CROSS JOIN LATERAL (
      SELECT count(*) AS "references", count(g.id) AS going, count(*) FILTER (WHERE g.is_now) AS going_now
      FROM (
        SELECT manifest_id FROM manifest_blob b WHERE b.repository_id = c.repository_id AND b.digest = c.digest
        UNION ALL
        SELECT manifest_id FROM sparse_reference s WHERE s.repository_id = c.repository_id AND s.digest = c.digest) AS r
      LEFT JOIN going g ON g.id = r.manifest_id) AS n
    WHERE n.references = n.going AND c.repository_id NOT IN (SELECT id FROM repositories)
    UNION ALL
    SELECT l.repository_id, l.digest, r.is_now FROM repositories r JOIN repository_blob l ON l.repository_id = r.id),
  blobs AS (
    SELECT l.digest, l.is_now, b.size_bytes FROM (
      SELECT digest, bool_and(is_now) AS is_now, count(*) AS links FROM links GROUP BY digest) AS l
    JOIN blob b ON b.digest = l.digest
    WHERE l.links = (SELECT count(*) FROM repository_blob x WHERE x.digest = l.digest)
    UNION ALL
    SELECT b.digest, true, b.size_bytes FROM blob_review t JOIN blob b ON b.digest = t.digest
    WHERE NOT EXISTS (SELECT FROM repository_blob x WHERE x.digest = b.digest)),
  found AS (
    SELECT is_now, 1 AS repositories, 0 AS manifests, 0 AS links, 0 AS blobs, 0 AS objects, 0::bigint AS bytes FROM repositories
    UNION ALL SELECT is_now, 0, 1, 0, 0, 0, 0 FROM going
    UNION ALL SELECT r.is_now, 0, 1, 0, 0, 0, 0 FROM repositories r JOIN manifest m ON m.repository_id = r.id
    UNION ALL SELECT is_now, 0, 0, 1, 0, 0, 0 FROM links
    UNION ALL SELECT is_now, 0, 0, 0, 1, 1, size_bytes FROM blobs
    UNION ALL SELECT due_at <= now() OR attempts > 0, 0, 0, 0, 0, 1, coalesce(size_bytes, 0) FROM doomed_object)
  SELECT is_now, sum(repositories) AS repositories, sum(manifests) AS manifests, sum(links) AS links, sum(blobs) AS blobs,
    sum(objects) AS objects, sum(bytes) AS bytes
  FROM found GROUP BY is_now`;

/** Looks at one moment's rows, and changes nothing. */
export function previewReview(pool: pg.Pool, terms: ReviewTerms): Promise<ReviewPreview> {
  return runUnitOfWork(pool, async (tx) => {
    await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY');
    await tx.query(`SET LOCAL statement_timeout = ${STATEMENT_TIMEOUT_MS}`);
    const { now, later } = await previewManifests(tx, terms);
    const { rows } = await tx.query<PreviewRow>(PREVIEW, [[...now], [...later], terms.graceMs === 0, terms.undoMs]);
    return {
      now: figuresOf(rows.find((row) => row.is_now)),
      later: figuresOf(rows.find((row) => !row.is_now)),
    };
  });
}

function figuresOf(row: PreviewRow | undefined): PreviewedRemovals {
  return {
    repositories: Number(row?.repositories ?? 0),
    manifests: Number(row?.manifests ?? 0),
    links: Number(row?.links ?? 0),
    blobs: Number(row?.blobs ?? 0),
    objects: Number(row?.objects ?? 0),
    bytes: Number(row?.bytes ?? 0),
  };
}
