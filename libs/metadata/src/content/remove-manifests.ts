import type { Queryable } from '../database/unit-of-work.js';

/** Rows of manifests that are removed together, and how long what they named is safe from the next look. */
export interface ManifestsRemoval {
  readonly ids: readonly string[];
  readonly graceMs: number;
}

/**
 * Removes manifests for good that nothing needs and that are locked, with all their references, and owes what those named
 * its review. Waits for no link: the review of the link comes later and locks it.
 */
export async function removeManifests(tx: Queryable, { ids, graceMs }: ManifestsRemoval): Promise<void> {
  await oweKin(tx, ids);
  await removeReferencesOf(tx, ids, graceMs);
  await forgetManifests(tx, ids);
  await tx.query({
    name: 'remove-manifests',
    text: `
      WITH gone AS (
        DELETE FROM manifest WHERE id = ANY ($1::bigint[]) RETURNING repository_id, digest),
      encoded AS (
        SELECT repository_id,
          CASE get_byte(digest, 0) WHEN 1 THEN 'sha256:' ELSE 'sha512:' END || encode(substr(digest, 2), 'hex') AS digest
        FROM gone)
      INSERT INTO audit_event (actor_name, action, target, detail)
      SELECT 'gc', 'manifest.removed', r.name, jsonb_build_object('digests', jsonb_agg(e.digest ORDER BY e.digest))
      FROM encoded e JOIN repository r ON r.id = e.repository_id GROUP BY r.name`,
    values: [ids],
  });
}

/**
 * Referrers lose their subject, and subjects a referrer that they may have lived by. What has a task already keeps it: DO
 * UPDATE, since a reviewer that is about to drop it must not swallow this one.
 */
async function oweKin(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'owe-referrers',
    text: `
      INSERT INTO manifest_review (manifest_id, reason, due_at, orphaned_at)
      SELECT r.id, 'subject removed', now(), now() FROM manifest m
      JOIN manifest r ON r.repository_id = m.repository_id AND r.subject_digest = m.digest
      WHERE m.id = ANY ($1::bigint[]) AND r.id <> ALL ($1::bigint[]) ORDER BY r.id FOR KEY SHARE OF r
      ON CONFLICT (manifest_id) DO UPDATE
        SET due_at = excluded.due_at, orphaned_at = coalesce(manifest_review.orphaned_at, excluded.orphaned_at)`,
    values: [ids],
  });
  await tx.query({
    name: 'owe-subjects',
    text: `
      WITH subject AS (
        SELECT DISTINCT s.id FROM manifest m
        JOIN manifest s ON s.repository_id = m.repository_id AND s.digest = m.subject_digest
        WHERE m.id = ANY ($1::bigint[]) AND s.id <> ALL ($1::bigint[])
          AND NOT EXISTS (SELECT FROM tag t WHERE t.manifest_id = s.id))
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'referrer removed', now() FROM manifest m JOIN subject USING (id) ORDER BY m.id FOR KEY SHARE OF m
      ON CONFLICT (manifest_id) DO UPDATE SET due_at = manifest_review.due_at`,
    values: [ids],
  });
}

async function removeReferencesOf(tx: Queryable, ids: readonly string[], graceMs: number): Promise<void> {
  await tx.query({
    name: 'remove-references-of',
    text: `
      WITH removed AS (
        SELECT id, repository_id, octet_length(payload) AS payload_bytes, deleted_at IS NULL AS is_counted
        FROM manifest WHERE id = ANY ($1::bigint[])),
      blobs AS (
        DELETE FROM manifest_blob WHERE manifest_id = ANY ($1) RETURNING manifest_id, repository_id, digest, size_bytes),
      awaited AS (
        DELETE FROM sparse_reference WHERE manifest_id = ANY ($1)
        RETURNING manifest_id, repository_id, digest, kind, size_bytes),
      children AS (
        DELETE FROM manifest_child WHERE parent_id = ANY ($1) RETURNING child_id),
      links AS (
        INSERT INTO link_review (repository_id, digest, reason, due_at)
        SELECT repository_id, digest, 'manifest removed', now() + $2 * interval '1 millisecond' FROM (
          SELECT repository_id, digest FROM blobs
          UNION SELECT a.repository_id, a.digest FROM awaited a JOIN repository_blob l USING (repository_id, digest)) AS named
        ORDER BY repository_id, digest
        ON CONFLICT (repository_id, digest) DO UPDATE
          SET reason = excluded.reason, due_at = greatest(link_review.due_at, excluded.due_at)),
      usage AS (
        INSERT INTO usage_delta (repository_id, manifests, size_bytes)
        SELECT r.repository_id, -count(*), -sum(r.payload_bytes + coalesce(named.size_bytes, 0))
        FROM removed r LEFT JOIN (
          SELECT manifest_id, sum(size_bytes) AS size_bytes FROM (
            SELECT manifest_id, size_bytes FROM blobs
            UNION ALL SELECT manifest_id, size_bytes FROM awaited WHERE kind = 'blob') AS each GROUP BY manifest_id) AS named
          ON named.manifest_id = r.id
        WHERE r.is_counted GROUP BY r.repository_id),
      entry AS (
        SELECT child_id AS id FROM children
        UNION SELECT m.id FROM awaited a JOIN manifest m ON m.repository_id = a.repository_id AND m.digest = a.digest)
      INSERT INTO manifest_review (manifest_id, reason, due_at)
      SELECT m.id, 'parent removed', now() + $2 * interval '1 millisecond' FROM manifest m JOIN entry USING (id)
      WHERE m.id <> ALL ($1) ORDER BY m.id FOR KEY SHARE OF m
      ON CONFLICT (manifest_id) DO UPDATE SET reason = excluded.reason, due_at = excluded.due_at`,
    values: [ids, graceMs],
  });
}

/** What is kept beside a manifest and holds nothing. */
export async function forgetManifests(tx: Queryable, ids: readonly string[]): Promise<void> {
  await tx.query({
    name: 'forget-manifests',
    text: `
      WITH review AS (DELETE FROM manifest_review WHERE manifest_id = ANY ($1::bigint[])),
      use AS (DELETE FROM manifest_use WHERE manifest_id = ANY ($1))
      DELETE FROM manifest_use_mark WHERE manifest_id = ANY ($1)`,
    values: [ids],
  });
}
