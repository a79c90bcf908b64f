import type { FinishedUpload } from '@entrepot/content';
import type pg from 'pg';
import { digestBytes } from '../database/digest-bytes.js';
import { repeatRows } from '../database/unit-of-work.js';
import { promisedUntil } from './schedule-review.js';

/**
 * The commit of a blob, one statement and so one transaction. Everything hangs on `gone`: without the lease nothing
 * happens, and no deletion of the repository comes between. `won` names the object that stays, and waits for a review of
 * the same blob (DO UPDATE): if another upload was first its object stays and ours is doomed with all that led to it; if a
 * review removed the row meanwhile, ours becomes the blob, and so it does where the blob is in quarantine: a trigger dooms
 * the object that was at fault.
 */
export async function finishUpload(pool: pg.Pool, finished: FinishedUpload): Promise<boolean> {
  const query = {
    name: 'finish-upload',
    text: `
      WITH held AS (SELECT FROM repository WHERE id = $3 AND deleted_at IS NULL FOR KEY SHARE),
      gone AS (
        DELETE FROM upload USING held WHERE id = $1 AND lease_id = $2 RETURNING id, account_id),
      won AS (
        INSERT INTO blob (digest, size_bytes, object_key) SELECT $4, $5::bigint, $6 FROM gone
        ON CONFLICT (digest) DO UPDATE SET seen_at = now(), fault = NULL, fault_at = NULL,
          object_key = CASE WHEN blob.fault IS NULL THEN blob.object_key ELSE excluded.object_key END,
          size_bytes = CASE WHEN blob.fault IS NULL THEN blob.size_bytes ELSE excluded.size_bytes END
        RETURNING object_key),
      doomed AS (
        INSERT INTO doomed_object (object_key, reason, size_bytes)
        SELECT $6, 'blob was there already', $5::bigint FROM won WHERE won.object_key <> $6
        UNION ALL SELECT $8, 'left beside a blob', NULL FROM won WHERE $8::text IS NOT NULL),
      linked AS (
        INSERT INTO repository_blob (repository_id, digest) SELECT $3, $4 FROM won
        ON CONFLICT (repository_id, digest) DO UPDATE SET linked_at = now(), released_at = NULL),
      awaited AS (
        DELETE FROM sparse_reference s USING won
        WHERE s.repository_id = $3 AND s.digest = $4 AND s.kind = 'blob'
        RETURNING s.manifest_id, s.size_bytes),
      resolved AS (
        INSERT INTO manifest_blob (manifest_id, repository_id, digest, size_bytes)
        SELECT manifest_id, $3, $4, size_bytes FROM awaited),
      finished AS (
        INSERT INTO finished_upload (upload_id, repository_id, account_id, digest)
        SELECT id, $3, account_id, $4 FROM gone),
      promised AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT $3, $4, 'uploaded', ${promisedUntil('$7')} FROM won
        ON CONFLICT (repository_id, digest) DO UPDATE
          SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at))
      SELECT object_key FROM won`,
    values: [
      finished.uploadId,
      finished.leaseId,
      finished.repositoryId,
      digestBytes(finished.digest),
      finished.sizeBytes,
      finished.objectKey,
      finished.graceMs,
      finished.residueKey ?? null,
    ],
  };
  return (await repeatRows(pool, query, finishedBefore(finished))).length > 0;
}

/** What the commit leaves, for one whose answer was lost. */
function finishedBefore({ uploadId, digest }: FinishedUpload): pg.QueryConfig {
  return {
    text: 'SELECT upload_id FROM finished_upload WHERE upload_id = $1 AND digest = $2',
    values: [uploadId, digestBytes(digest)],
  };
}
