import type { Mount } from '@entrepot/content';
import type pg from 'pg';
import { digestBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';
import { promisedUntil } from './schedule-review.js';
import { SERVED_LINK } from './served-link.js';
import { VISIBLE_REPOSITORY } from './visible-repositories.js';

/** Links that a mount without a source looks at: a base layer may be everywhere, and one more upload of it does no harm. */
const MOST_SOURCES = 1000;

const FROM_ONE = `SELECT l.repository_id FROM repository_blob l WHERE l.digest = $3 AND l.repository_id = $5 AND ${SERVED_LINK}`;
const FROM_ANY = `
  SELECT l.repository_id FROM repository_blob l
  WHERE l.digest = $3 AND $5::uuid IS NULL AND ${SERVED_LINK} LIMIT ${MOST_SOURCES}`;

/** With a viewer ($1) the source must be one that the viewer may pull. */
const heldIn = (sources: string): string => `
  SELECT $3::bytea AS digest FROM (${sources}) AS l JOIN repository r ON r.id = l.repository_id
  WHERE EXISTS (SELECT FROM blob b WHERE b.digest = $3 AND b.fault IS NULL) AND r.deleted_at IS NULL
    AND (NOT $6::boolean OR r.id = $2 OR (${VISIBLE_REPOSITORY}))
  LIMIT 1`;

/**
 * Links a blob to a repository from another one that holds it; what the viewer may not pull stays unseen. The foreign
 * key decides against a review that takes the blob now.
 */
export async function mountBlob(pool: pg.Pool, { repositoryId, digest, graceMs, source }: Mount): Promise<boolean> {
  const rows = await repeatRows(pool, {
    name: source.repositoryId === undefined ? 'mount-blob' : 'mount-blob-from',
    text: `
      WITH held AS (${heldIn(source.repositoryId === undefined ? FROM_ANY : FROM_ONE)}),
      target AS (SELECT id FROM repository WHERE id = $2 AND deleted_at IS NULL FOR KEY SHARE),
      linked AS (
        INSERT INTO repository_blob (repository_id, digest) SELECT target.id, digest FROM held CROSS JOIN target
        ON CONFLICT (repository_id, digest) DO UPDATE SET linked_at = now(), released_at = NULL
        RETURNING digest),
      awaited AS (
        DELETE FROM sparse_reference s USING linked
        WHERE s.repository_id = $2 AND s.digest = linked.digest AND s.kind = 'blob'
        RETURNING s.manifest_id, s.digest, s.size_bytes),
      resolved AS (
        INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
        SELECT manifest_id, $2, digest, size_bytes FROM awaited),
      promised AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT $2, digest, 'mounted', ${promisedUntil('$4')} FROM linked
        ON CONFLICT (repository_id, digest) DO UPDATE
          SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at))
      SELECT digest FROM linked`,
    values: [
      source.viewer?.accountId ?? null,
      repositoryId,
      digestBytes(digest),
      graceMs,
      source.repositoryId ?? null,
      source.viewer !== undefined || source.repositoryId === undefined,
    ],
  });
  return rows.length > 0;
}
